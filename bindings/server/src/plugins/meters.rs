//! What is counted of plugins, for `/metrics`.

use std::fmt::Error;

use narthex::wasm::{FaultKind, MeterReading};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::Plugins;

/// Reads the meters of what runs.
#[derive(Debug)]
pub(crate) struct PluginCollector(pub(crate) Plugins);

type Read = fn(&MeterReading) -> u64;

impl Collector for PluginCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let readings: Vec<(String, MeterReading)> = self
            .0
            .guests()
            .iter()
            .map(|guest| (guest.name().to_string(), guest.meters().read()))
            .collect();
        if readings.is_empty() {
            return Ok(());
        }
        let counts: [(&str, &str, Read); 4] = [
            ("plugin_calls", "Calls of a plugin", |r| r.calls),
            (
                "plugin_refusals",
                "Answers of a plugin that were a no",
                |r| r.refusals,
            ),
            (
                "plugin_events_dropped",
                "Events that came faster than the plugin took them",
                |r| r.dropped,
            ),
            (
                "plugin_busy_milliseconds",
                "Time in calls of a plugin",
                |r| u64::try_from(r.busy.as_millis()).unwrap_or(u64::MAX),
            ),
        ];
        for (name, help, read) in counts {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (plugin, reading) in &readings {
                let labels = [("plugin", plugin.as_str())];
                ConstCounter::new(read(reading)).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Calls of a plugin without an answer, by what went wrong";
        let mut family =
            encoder.encode_descriptor("plugin_faults", help, None, MetricType::Counter)?;
        for (plugin, reading) in &readings {
            for kind in FaultKind::ALL {
                let found = reading.faults.iter().find(|(code, _)| *code == kind.code());
                let labels = [("plugin", plugin.as_str()), ("fault", kind.code())];
                let count = found.map_or(0, |(_, count)| *count);
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
