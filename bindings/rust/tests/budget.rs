//! What a Rust application has to learn and to write stays little.

/// Names at the root of the crate, modules included.
const NAMES_MAX: usize = 48;
/// Lines of an example that are neither empty nor comments.
const LINES_MAX: usize = 60;

#[test]
fn the_root_of_the_crate_has_a_name_for_what_an_application_needs_and_no_more() {
    let source = include_str!("../src/lib.rs");
    let names: usize = source
        .split("pub use ")
        .skip(1)
        .map(|rest| {
            let item = rest.split(';').next().unwrap();
            item.split(',')
                .filter(|name| name.chars().any(char::is_alphabetic))
                .count()
        })
        .sum();
    assert!((30..=NAMES_MAX).contains(&names), "{names} names");
}

#[test]
fn an_application_with_the_portal_beside_its_pages_is_written_in_sixty_lines() {
    for (name, source) in [
        (
            "axum-embed",
            include_str!("../../../examples/axum-embed/src/main.rs"),
        ),
        (
            "hyper-embed",
            include_str!("../../../examples/hyper-embed/src/main.rs"),
        ),
    ] {
        let own = source.lines().map(str::trim);
        let own = own.filter(|line| !line.is_empty() && !line.starts_with("//"));
        let lines = own.count();
        println!("{name}: {lines} lines");
        assert!((20..=LINES_MAX).contains(&lines), "{name}: {lines} lines");
    }
}

#[test]
fn frameworks_come_only_to_who_asks_for_them() {
    let manifest = include_str!("../Cargo.toml");
    let default = manifest.lines().find(|line| line.starts_with("default = "));
    let default = default.unwrap();
    assert!(
        !default.contains("axum") && !default.contains("tower"),
        "{default}"
    );
    let (own, tests) = manifest.split_once("[dev-dependencies]").unwrap();
    assert!(!own.contains("\naxum.") && tests.contains("\naxum."));
    let hyper = include_str!("../../../adapters/hyper/Cargo.toml");
    for name in ["axum", "tower-layer", "tower-service"] {
        let optional = format!("\n{name} = {{ workspace = true, optional = true }}");
        assert!(hyper.contains(&optional), "{name}");
    }
}

#[test]
fn the_document_shows_the_example_as_it_is() {
    let document = include_str!("../../../docs/embedding.md");
    let example = include_str!("../../../examples/axum-embed/src/main.rs");
    let (_, code) = example.split_once("\n\n").unwrap();
    assert!(
        document.contains(&format!("```rust\n{code}```\n")),
        "docs/embedding.md shows another examples/axum-embed/src/main.rs"
    );
}
