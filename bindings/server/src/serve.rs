//! `narthex serve`: the portal of a school.

use std::net::SocketAddr;
use std::sync::Arc;

use narthex::http::PortalService;
use serde_json::json;
use tokio::net::TcpListener;

use crate::cli::ServeArgs;
use crate::config::{Config, Overrides};
use crate::control::Desk;
use crate::failure::{Failure, Outcome};
use crate::management::Management;
use crate::meters::Meters;
use crate::place::{CONFIG_FILE, control_socket};
use crate::plugins::default_folder;
use crate::service::{self, Front};
use crate::signals::Stop;

/// Runs the portal until it is asked to stop.
pub(crate) async fn run(args: ServeArgs, json: bool) -> Result<Outcome, Failure> {
    let config = config(&args)?;
    let address = config.listen();
    let settings = config.settings()?;
    let options = config.options()?;
    let channels = config.channels()?;
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
    let socket = control_socket(&options.url);
    let meters = Meters::new();
    let desk = Desk::metered(options, &meters).await?;
    let portal = desk.portal.clone();
    let folder = config
        .plugins_folder()
        .or_else(|| default_folder(&desk.url));
    desk.plugins.start(folder, &portal).await?;
    let management = match config.management() {
        Some(address) => Some(monitored(address, &desk, &meters).await?),
        None => None,
    };
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
    let monitors = management
        .as_ref()
        .and_then(|(listener, _)| listener.local_addr().ok());
    let front = Front {
        control: service::control(socket, desk.clone()),
        management,
        meters,
        limits: config.limits(),
        channels,
        desk,
        proxied: !settings.trusted_proxies.is_empty(),
        nickname: None,
        service: PortalService::new(portal, settings).map_err(Failure::usage)?,
    };
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, base_url, store, version = env!("CARGO_PKG_VERSION"), "serving");
    if json {
        say!(
            "{}",
            json!({
                "url": base_url,
                "listen": address.to_string(),
                "store": store,
                "management": monitors,
            })
        );
    }
    let report = service::run(listener, front, stop).await;
    tracing::info!(finished = report.finished, cut = report.cut, "stopped");
    Ok(Outcome::Done)
}

/// Listens for monitors.
async fn monitored(
    address: SocketAddr,
    desk: &Desk,
    meters: &Arc<Meters>,
) -> Result<(TcpListener, Management), Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!(
            "cannot listen for monitors on {address}: {error}; say where with `management.listen`"
        ))
    })?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "monitors are answered on an address that others reach: let a firewall keep it to \
             those who may know how many log in"
        );
    }
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "management: /healthz /readyz /metrics");
    Ok((listener, Management::new(desk.clone(), Arc::clone(meters))))
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
