//! What an operator does with the keys while the portal is open: new ones, older ones taken away, a copy
//! for the safe. The key file is on the disk before a key is in use.

use std::path::Path;

use narthex_core::Asker;
use narthex_core::host::{Entropy, KeyPurpose, KeyRing};
use narthex_core::portal::KeyReport;
use zeroize::Zeroizing;

use super::KeepingError;
use crate::keys::KeyFile;
use crate::open::House;

/// Makes a new key of each of `purposes`, puts it into the key file and then in use, at once, in this
/// process. Older keys stay for what they sealed and digested: nobody is logged out. Gives the new ids.
///
/// # Errors
/// The keys are in memory only; the key file is not that of the open portal, or could not be written;
/// [`KeyPurpose::Names`]; the store did not answer; or the keys are being changed already, or have
/// changed too often since the portal was opened. Nothing has changed then.
pub async fn rotate_keys(
    house: &House,
    purposes: &[KeyPurpose],
    entropy: &dyn Entropy,
    asker: &Asker,
) -> Result<Vec<(KeyPurpose, u32)>, KeepingError> {
    let change = house.portal.begin_key_change()?;
    let (path, mut ring) = key_file(house)?;
    let now = house.portal.now().latest;
    let mut made = Vec::new();
    for purpose in purposes {
        made.push((*purpose, ring.rotate(*purpose, now, entropy)?));
    }
    let told = format!("rotated {}", named(&made));
    house.portal.tell_of_keys(&told, asker).await?;
    KeyFile::replace(path, &ring)?;
    change.take_up(ring)?;
    Ok(made)
}

/// Takes older keys away that nothing in the store needs. Gives those that went, and what is known of
/// those that had to stay.
///
/// # Errors
/// As [`rotate_keys`].
pub async fn prune_keys(
    house: &House,
    asker: &Asker,
) -> Result<(Vec<(KeyPurpose, u32)>, Vec<KeyReport>), KeepingError> {
    let change = house.portal.begin_key_change()?;
    let (path, mut ring) = key_file(house)?;
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    for key in house.portal.key_report().await? {
        if key.current {
            continue;
        }
        if key.uses.is_empty() && ring.remove(key.purpose, key.id) {
            removed.push((key.purpose, key.id));
        } else {
            kept.push(key);
        }
    }
    if !removed.is_empty() {
        let told = format!("pruned {}", named(&removed));
        house.portal.tell_of_keys(&told, asker).await?;
        KeyFile::replace(path, &ring)?;
        change.take_up(ring)?;
    }
    Ok((removed, kept))
}

/// The key file as it is, for a copy that is kept offline: whoever has it and the store can read both.
///
/// # Errors
/// The keys are in memory only, or the key file could not be read.
pub fn export_keys(house: &House) -> Result<Zeroizing<String>, KeepingError> {
    let (_, ring) = key_file(house)?;
    Ok(ring.to_text())
}

/// The ring of the key file: of this portal, and not of another time.
fn key_file(house: &House) -> Result<(&Path, KeyRing), KeepingError> {
    let path = house.keys.as_deref().ok_or(KeepingError::KeysInMemory)?;
    let ring = KeyFile::load(path)?.ring;
    if !ring.is_same_as(&house.portal.key_ring()) {
        return Err(KeepingError::OtherKeys(path.to_owned()));
    }
    Ok((path, ring))
}

/// `details 17, pepper 4`.
fn named(keys: &[(KeyPurpose, u32)]) -> String {
    let named = keys
        .iter()
        .map(|(purpose, id)| format!("{} {id}", purpose.code()));
    named.collect::<Vec<_>>().join(", ")
}
