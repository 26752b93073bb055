//! A mutator that repeats itself.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::common::Seed;

/// What changes the meaning of a text or record more often than a random byte does.
const WORDS: [&[u8]; 32] = [
    b"/",
    b"//",
    b"\\",
    b"..",
    b"%2e",
    b"%2F",
    b"%5c",
    b"%09",
    b"@",
    b":",
    b"?",
    b"#",
    b"'",
    b"\r\n",
    b"\t",
    b",",
    b"\"",
    b"\n",
    b";",
    b"=",
    b"__Host-narthex=",
    b"{session}",
    b"{forged}",
    b"\xe2\x80\x80",
    b"\xef\xbb\xbf",
    b"1987-11-23",
    b"11/23/1987",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x01",
    b"\xe2\x80\xae",
    b" ",
];

/// Xorshift over a fixed seed: a failure is the same on every machine.
pub(crate) struct Mutator {
    state: u64,
    others: Vec<Vec<u8>>,
}

impl Mutator {
    pub(crate) fn new(seeds: &[Seed]) -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
            others: seeds.iter().map(|seed| seed.bytes.clone()).collect(),
        }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    /// One to four changes of `seed`.
    pub(crate) fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let end = (at + 1 + self.below(16)).min(bytes.len());
        match self.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.next().to_le_bytes()[0],
            2 => bytes.insert(at, self.next().to_le_bytes()[0]),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            5 => bytes.truncate(at),
            6 => {
                let other = self.below(self.others.len());
                let from = self.below(self.others[other].len() + 1);
                let tail = self.others[other][from..].iter().copied().take(64);
                bytes.splice(at..at, tail.collect::<Vec<_>>());
            }
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                let over = if self.below(2) == 0 { at } else { end };
                bytes.splice(at..over, word.iter().copied());
            }
        }
    }
}
