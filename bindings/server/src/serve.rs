//! `narthex serve`: the portal of a school.

use narthex::http::PortalService;
use serde_json::json;
use tokio::net::TcpListener;

use crate::cli::ServeArgs;
use crate::config::{Config, Overrides};
use crate::failure::{Failure, Outcome};
use crate::place::CONFIG_FILE;
use crate::service::{self, Front};
use crate::signals::Stop;

/// Runs the portal until it is asked to stop.
pub(crate) async fn run(args: ServeArgs, json: bool) -> Result<Outcome, Failure> {
    let config = config(&args)?;
    let address = config.listen();
    let settings = config.settings()?;
    let options = config.options()?;
    if args.check {
        say!(
            "{}",
            if json {
                "{\"good\":true}"
            } else {
                "The configuration is good."
            }
        );
        return Ok(Outcome::Done);
    }
    let stop = Stop::listen()?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!(
            "cannot listen on {address}: {error}; say where with --listen ADDRESS:PORT"
        ))
    })?;
    let store = options.url.to_string();
    let portal = narthex::open(options).await?;
    let base_url = settings.base_url.to_string();
    if settings.trusted_proxies.is_empty() {
        if !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "plain http on an address that others reach, and no trusted_proxies: put a proxy \
                 that speaks https in front, and name it"
            );
        } else if base_url.starts_with("https:") {
            tracing::warn!(
                base_url,
                "behind a proxy, and no trusted_proxies: everybody seems to come from its address \
                 and shares one budget of attempts; name the proxy"
            );
        }
    }
    let front = Front {
        portal: portal.clone(),
        proxied: !settings.trusted_proxies.is_empty(),
        nickname: None,
        service: PortalService::new(portal, settings).map_err(Failure::usage)?,
    };
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, base_url, store, version = env!("CARGO_PKG_VERSION"), "serving");
    if json {
        say!(
            "{}",
            json!({ "url": base_url, "listen": address.to_string(), "store": store })
        );
    }
    let report = service::run(listener, front, stop).await;
    tracing::info!(finished = report.finished, cut = report.cut, "stopped");
    Ok(Outcome::Done)
}

fn config(args: &ServeArgs) -> Result<Config, Failure> {
    let mut flags = Overrides::new();
    for (setting, value, flag) in [
        ("listen", &args.listen, "--listen"),
        ("base_url", &args.base_url, "--base-url"),
        ("store.url", &args.store, "--store"),
        ("store.keys", &args.keys, "--keys"),
    ] {
        if let Some(value) = value {
            flags.push((setting, value.clone(), flag));
        }
    }
    let usual = std::path::Path::new(CONFIG_FILE);
    let found = usual.exists().then(|| usual.to_owned());
    let path = args.config.clone().or(found);
    Config::load(path.as_deref(), flags)
}
