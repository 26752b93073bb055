//! What a guest hands to the host, as bytes: for the tests of the ABI, and for the fuzzer of `fuzz/guests`.

use std::sync::{Arc, OnceLock};

use narthex_wasm::{Guest, GuestOptions, Hook};

use super::{Came, ask, code, host, module, options, packed};

/// The hooks that answer.
pub(crate) const ASKED: [Hook; 4] = [
    Hook::PasswordRule,
    Hook::ClaimOpinion,
    Hook::LogInOpinion,
    Hook::LandingStatistic,
];

/// The bytes of an answer.
const ANSWER_BYTES: usize = 32;

/// A guest whose answer is the text it is given, two letters of `a` to `p` for each byte.
pub(crate) fn echo(hook: Hook) -> Vec<u8> {
    let body = "(local $from i32) (local $to i32)
    (local.set $to (i32.const 600))
    (block $done
      (loop $again
        (br_if $done (i32.lt_u (local.get $length) (i32.const 2)))
        (i32.store8 (local.get $to)
          (i32.or
            (i32.shl
              (i32.and (i32.sub (i32.load8_u (local.get $text)) (i32.const 97)) (i32.const 15))
              (i32.const 4))
            (i32.and (i32.sub (i32.load8_u offset=1 (local.get $text)) (i32.const 97)) (i32.const 15))))
        (local.set $text (i32.add (local.get $text) (i32.const 2)))
        (local.set $length (i32.sub (local.get $length) (i32.const 2)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (br $again)))
    (i32.const 600)";
    packed(hook, &module(hook, "", body))
}

/// What comes of these bytes as an answer of `guest`, an [`echo`]. They are a yes only if they say so.
pub(crate) fn answered(guest: &Arc<Guest>, bytes: &[u8]) -> Came {
    let letter = |nibble: u8| char::from(b'a' + (nibble & 15));
    let letters = bytes
        .iter()
        .flat_map(|byte| [letter(byte >> 4), letter(*byte)]);
    let came = ask(guest, &letters.collect::<String>());
    let says_yes = match guest.hook() {
        // A list of no lines.
        Hook::LandingStatistic => bytes.get(4..8) == Some(&[0; 4]),
        // The first case of the variant.
        _ => bytes.first() == Some(&0),
    };
    assert!(
        came != Came::Good || says_yes,
        "{}: {bytes:?}",
        guest.hook()
    );
    came
}

/// Any bytes: the first says which hook, and whether the others are an answer or a component.
pub(crate) fn host_abi(data: &[u8]) {
    static GUESTS: OnceLock<Vec<Arc<Guest>>> = OnceLock::new();
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let which = usize::from(first % 4);
    if *first >= 128 {
        // Loaded or refused, and nothing else.
        let _ = ASKED
            .get(which)
            .map(|hook| host().load(bytes, options(*hook)));
        return;
    }
    let guests = GUESTS.get_or_init(|| {
        let loaded = ASKED.map(|hook| {
            let options = GuestOptions {
                limits: options(hook).limits,
                ..GuestOptions::new(code("wild"))
            };
            Arc::new(host().load(&echo(hook), options).unwrap())
        });
        loaded.to_vec()
    });
    let mut answer = [0; ANSWER_BYTES];
    for (to, from) in answer.iter_mut().zip(bytes) {
        *to = *from;
    }
    if let Some(guest) = guests.get(which) {
        answered(guest, &answer);
    }
}
