//! What the mails say, in the languages of the pages.

use narthex_core::model::MessageKind;

/// The language of the mails for a tag as in HTML's `lang`: `es` for `es-MX`.
pub(crate) fn spoken(tag: &str) -> Option<&'static str> {
    let primary = tag.split('-').next()?;
    ["en", "es"].into_iter().find(|known| *known == primary)
}

/// Subject and first sentence of a kind. `{site}`, `{when}` and `{browser}` are filled in.
pub(crate) fn texts(kind: MessageKind, language: &str) -> (&'static str, &'static str) {
    match (language, kind) {
        ("es", MessageKind::Claimed) => (
            "Tu cuenta fue reclamada",
            "Tu cuenta de {site} fue reclamada ({when}, {browser}).",
        ),
        ("es", MessageKind::PasswordChanged) => (
            "Tu contraseña cambió",
            "La contraseña de tu cuenta de {site} se cambió ({when}, {browser}).",
        ),
        ("es", MessageKind::Recovered) => (
            "Contraseña nueva con un código",
            "Se creó una contraseña nueva para tu cuenta de {site} con un código de \
             recuperación ({when}, {browser}).",
        ),
        ("es", MessageKind::NewBrowser) => (
            "Entrada desde otro navegador",
            "Alguien entró en tu cuenta de {site} desde un navegador nuevo ({when}, {browser}).",
        ),
        (_, MessageKind::Claimed) => (
            "Your account was claimed",
            "Your account at {site} was claimed ({when}, {browser}).",
        ),
        (_, MessageKind::PasswordChanged) => (
            "Your password was changed",
            "The password of your account at {site} was changed ({when}, {browser}).",
        ),
        (_, MessageKind::Recovered) => (
            "A new password, made with a code",
            "A new password for your account at {site} was made with a recovery code \
             ({when}, {browser}).",
        ),
        (_, MessageKind::NewBrowser) => (
            "A log-in from a new browser",
            "Somebody logged in to your account at {site} from a new browser ({when}, {browser}).",
        ),
    }
}

/// What to do, and what not to.
pub(crate) fn advice(language: &str) -> &'static str {
    match language {
        "es" => {
            "¿Fuiste tú? Entonces no hay nada que hacer.\n\
             ¿No fuiste tú? Avisa a tu centro ahora mismo.\n\n\
             Este mensaje no lleva enlaces, y nadie te pedirá nunca tu contraseña."
        }
        _ => {
            "Was that you? Then there is nothing to do.\n\
             Was that not you? Tell your school right now.\n\n\
             This message has no links, and nobody will ever ask you for your password."
        }
    }
}

/// The word for a browser that said nothing.
pub(crate) fn unknown_browser(language: &str) -> &'static str {
    match language {
        "es" => "navegador desconocido",
        _ => "unknown browser",
    }
}

/// How a mail begins.
pub(crate) fn greeting(language: &str) -> &'static str {
    match language {
        "es" => "Hola, {name}:",
        _ => "Hello {name},",
    }
}
