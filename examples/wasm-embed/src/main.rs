//! A host of about a hundred lines for a guest that embeds the portal. The guest has the pages; the host
//! has the store, the clock, the hashing and what the browser keeps. Here the browser is the terminal.

use std::error::Error;
use std::io::BufRead as _;
use std::path::Path;

use narthex::core::hook::Code;
use narthex::core::host::Clock as _;
use narthex::core::portal::ImportOptions;
use narthex::oneroster::{Date, ReadOptions};
use narthex::wasm::{
    Application, ApplicationOptions, Field, Host, HostOptions, Jar, PluginFolder, Request, Visitor,
    pack_application,
};
use narthex::{Asker, OpenOptions, Portal, StoreUrl, SystemClock};

type Outcome<T> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
A line is a path, or a path and the fields of a form:
  /claim given_name=Ora&family_name=Klein&birthdate=2000-04-02&login_id=13001
  /claim/password claim=...&password=seven leagues of lace
  /claim/questions claim=...&first_toy=Sir Knits&story=The Paper Boat
  /login login_id=13001&password=seven leagues of lace
  /account/password current=seven leagues of lace&new=a tortoise under the lamp
  /
  /logout";

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(guest), Some(roster)) = (arguments.next(), arguments.next()) else {
        return Err(
            "usage: wasm-embed GUEST.wasm ROSTER\n\nREADME.md says how the guest is built".into(),
        );
    };
    let portal = school(Path::new(&roster)).await?;
    let kiosk = kiosk(Path::new(&guest), portal.clone())?;
    eprintln!("{HELP}");
    let mut jar = Jar::default();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let visitor = Visitor {
            asker: Asker::default(),
            jar,
        };
        // A fault of the guest is an error page of ours; what the browser keeps is right all the same.
        // A host on a network also keeps `on_grid`: a terminal tells nobody how long an answer took.
        let answered = kiosk.answer(visitor, request(&line)).await;
        jar = answered.jar;
        match answered.page {
            Ok(page) => println!("{}\n{}", page.status, page.text),
            Err(fault) => println!("500\nthe kiosk did not answer: {fault}\n"),
        }
    }
    Ok(())
}

/// A portal in memory with the people of a roster.
async fn school(roster: &Path) -> Outcome<Portal> {
    let portal = narthex::open(OpenOptions::new(StoreUrl::Memory)).await?;
    let today = Date::of_timestamp(SystemClock.read().wall).ok_or("what day is it?")?;
    let reading = narthex::oneroster::read(roster, &ReadOptions::new(today))?;
    let imported = portal.import_roster(reading.batch, ImportOptions::default(), &|_| {});
    imported.await?;
    Ok(portal)
}

/// The guest, as `cargo build --target wasm32-unknown-unknown` leaves it.
fn kiosk(module: &Path, portal: Portal) -> Outcome<Application> {
    let component = pack_application(&PluginFolder::read_component(module)?)?;
    let host = Host::start(HostOptions::default())?;
    let options = ApplicationOptions {
        // It has the forms for passwords, so it sees them. Without this it is not loaded.
        secrets: true,
        ..ApplicationOptions::new(Code::parse("kiosk")?)
    };
    Ok(host.load_application(&component, portal, options)?)
}

fn request(line: &str) -> Request {
    let (path, form) = line.split_once(' ').unwrap_or((line, ""));
    let fields = form.split('&').filter_map(|field| field.split_once('='));
    let fields = fields.map(|(name, value)| Field {
        name: name.to_owned(),
        value: value.to_owned(),
    });
    Request {
        path: path.to_owned(),
        fields: fields.collect(),
    }
}
