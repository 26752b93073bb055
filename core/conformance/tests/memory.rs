//! The reference store passes the suite; and the suite leaves no rule of its own out.

use narthex_core::store::MemoryStore;

narthex_conformance::store_suite!(MemoryStore::new());

#[test]
fn a_snapshot_is_of_one_moment() {
    narthex_conformance::snapshots::a_snapshot_is_of_one_moment(&MemoryStore::new());
}

#[test]
fn a_snapshot_holds_every_set_whole() {
    narthex_conformance::snapshots::a_snapshot_holds_every_set_whole(&MemoryStore::new());
}

#[test]
fn every_rule_of_the_suite_is_in_its_list() {
    let list = include_str!("../src/store_suite/mod.rs");
    let modules = [
        ("records", include_str!("../src/store_suite/records.rs")),
        ("cells", include_str!("../src/store_suite/cells.rs")),
        ("events", include_str!("../src/store_suite/events.rs")),
        ("sets", include_str!("../src/store_suite/sets.rs")),
        ("scans", include_str!("../src/store_suite/scans.rs")),
        ("races", include_str!("../src/store_suite/races.rs")),
        ("reopening", include_str!("../src/store_suite/reopening.rs")),
    ];
    let mut rules = 0;
    for (module, source) in modules {
        let lines = source.lines();
        let public = lines.filter_map(|line| {
            line.strip_prefix("pub async fn ")
                .or_else(|| line.strip_prefix("pub fn "))
        });
        for name in public.filter_map(|rest| rest.split('(').next()) {
            rules += 1;
            assert!(
                list.contains(&format!(" {module}::{name}\n")),
                "{module}::{name}"
            );
        }
    }
    assert!(rules > 50, "only {rules} rules were found");
}
