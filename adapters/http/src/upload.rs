//! Bodies with a file in them, and previews that wait for their confirmation.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::once;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use multer::{Multipart, parse_boundary};
use narthex_core::Portal;
use narthex_core::model::roster::RosterBatch;
use narthex_core::model::{AccountId, Timestamp};
use zeroize::Zeroizing;

use crate::forms::Form;
use crate::problem::{Issue, Problem};

/// The field of the file.
pub(crate) const FILE_FIELD: &str = "file";
/// Characters of a file's name that are kept, for findings.
const NAME_CHARACTERS_MAX: usize = 80;
/// How long a preview waits.
const PREVIEW_KEPT: Duration = Duration::from_secs(15 * 60);
/// Previews that wait at once; the oldest goes first.
const PREVIEWS_MAX: usize = 8;

/// A file that came with a form.
#[derive(Debug)]
pub(crate) struct UploadedFile {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl UploadedFile {
    /// Keeps of a name what findings may say.
    pub(crate) fn new(name: &str, bytes: Bytes) -> Self {
        let kept = name.chars().filter(|c| !c.is_control());
        let name = kept.take(NAME_CHARACTERS_MAX).collect();
        Self { name, bytes }
    }
}

/// Reads `multipart/form-data` (RFC 7578) that may have the fields in `known`, and one file.
///
/// # Errors
/// As [`Form::parse`]; two files, or no multipart at all.
pub(crate) async fn parse(
    headers: &HeaderMap,
    body: Bytes,
    known: &[&'static str],
) -> Result<(Form, Option<UploadedFile>), Problem> {
    let mut said = headers.get_all(CONTENT_TYPE).iter();
    let boundary = said.next().and_then(|value| value.to_str().ok());
    let boundary = boundary.and_then(|value| parse_boundary(value).ok());
    let boundary = boundary
        .filter(|_| said.next().is_none())
        .ok_or_else(|| crate::guard::wrong_media_type("multipart/form-data"))?;
    let mut parts = Multipart::new(once(ready(Ok::<_, Infallible>(body))), boundary);
    let (mut form, mut file) = (Form::default(), None);
    while let Some(part) = parts.next_field().await.map_err(|_| broken())? {
        let name = part.name().unwrap_or("").to_owned();
        if name != FILE_FIELD {
            let bytes = Zeroizing::new(part.bytes().await.map_err(|_| broken())?.to_vec());
            form.add(&name, &bytes, known)?;
            continue;
        }
        let named = part.file_name().unwrap_or("").to_owned();
        let bytes = part.bytes().await.map_err(|_| broken())?;
        let uploaded = UploadedFile::new(&named, bytes);
        if file.replace(uploaded).is_some() {
            let issue = Issue::plain(FILE_FIELD, "duplicate_field", |t| t.roster_two_files);
            return Err(Problem::malformed(issue));
        }
    }
    Ok((form, file.filter(|file| !file.bytes.is_empty())))
}

fn broken() -> Problem {
    Problem::malformed(Issue::plain("", "malformed_multipart", |t| t.malformed))
}

/// A roster that was looked at, and waits to be confirmed by who brought it, in the same session.
struct Preview {
    id: String,
    family: String,
    account: AccountId,
    at: Timestamp,
    batch: Arc<RosterBatch>,
}

/// The previews that wait, in the memory of this process: a roster of another one is not there, and who
/// confirms it is told to bring it again.
#[derive(Default)]
pub(crate) struct Previews(Mutex<Vec<Preview>>);

impl Previews {
    /// Keeps a roster; an older one of the same person goes.
    pub(crate) fn keep(
        &self,
        portal: &Portal,
        account: AccountId,
        family: &str,
        batch: RosterBatch,
    ) -> narthex_core::Result<String> {
        let id = data_encoding::BASE64URL_NOPAD.encode(&portal.random::<16>()?);
        let at = portal.now().latest;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|preview| preview.account != account && is_kept(preview, at));
        if kept.len() >= PREVIEWS_MAX {
            kept.remove(0);
        }
        kept.push(Preview {
            id: id.clone(),
            family: family.to_owned(),
            account,
            at,
            batch: Arc::new(batch),
        });
        Ok(id)
    }

    /// Takes a roster out: it is brought in once.
    pub(crate) fn take(&self, portal: &Portal, family: &str, id: &str) -> Option<Arc<RosterBatch>> {
        let now = portal.now().latest;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|preview| is_kept(preview, now));
        let mut all = kept.iter();
        let found = all.position(|preview| preview.id == id && preview.family == family)?;
        Some(kept.remove(found).batch)
    }
}

fn is_kept(preview: &Preview, now: Timestamp) -> bool {
    now.since(preview.at) < PREVIEW_KEPT
}
