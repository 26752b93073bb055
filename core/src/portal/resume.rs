//! Back to the same screen and organization, for the same person only (S14, S15).

use super::Portal;
use crate::error::Result;
use crate::model::{AccountId, Profile};
use crate::rules::resume::{Resume, ResumeLocation, TagOwner, resume};

const SALT_BYTES: usize = 8;
const TAG_BYTES: usize = 16;

impl Portal {
    /// The `for=` word of a log-in URL: says, to this portal only, whose location it is. Salted, so that
    /// two URLs of one person do not look alike.
    ///
    /// # Errors
    /// No random bytes, or no key for tags.
    pub fn resume_tag(&self, account: AccountId, location: &ResumeLocation) -> Result<String> {
        self.salted_tag(self.random()?, account, location)
    }

    /// Where somebody who has just logged in is led.
    ///
    /// # Errors
    /// No key for tags.
    pub fn resume(
        &self,
        profile: &Profile,
        location: Option<ResumeLocation>,
        tag: Option<&str>,
    ) -> Result<Resume> {
        let owner = match (&location, tag) {
            (_, None) | (None, _) => TagOwner::Nobody,
            (Some(location), Some(tag)) => self.owner_of(tag, profile.account, location)?,
        };
        let member = |organization: &_| profile.is_member(organization);
        Ok(resume(
            location,
            owner,
            member,
            profile.default_organization.as_ref(),
        ))
    }

    fn owner_of(
        &self,
        tag: &str,
        account: AccountId,
        location: &ResumeLocation,
    ) -> Result<TagOwner> {
        let decoded = data_encoding::BASE64URL_NOPAD
            .decode(tag.as_bytes())
            .unwrap_or_default();
        let Some((salt, _)) = decoded.split_first_chunk::<SALT_BYTES>() else {
            return Ok(TagOwner::AnotherPerson);
        };
        let own = self.salted_tag(*salt, account, location)?;
        let same: bool = subtle::ConstantTimeEq::ct_eq(own.as_bytes(), tag.as_bytes()).into();
        Ok(if same {
            TagOwner::ThisPerson
        } else {
            TagOwner::AnotherPerson
        })
    }

    fn salted_tag(
        &self,
        salt: [u8; SALT_BYTES],
        account: AccountId,
        location: &ResumeLocation,
    ) -> Result<String> {
        // The fragment is the browser's own: it is not known when the page's log-in URL is written.
        let place = location.as_str().split('#').next().unwrap_or("");
        let parts = [
            b"resume".as_slice(),
            &salt,
            account.as_bytes(),
            place.as_bytes(),
        ];
        let tag = self.tag(&parts)?;
        let (short, _) = tag.split_at(TAG_BYTES);
        Ok(data_encoding::BASE64URL_NOPAD.encode(&[salt.as_slice(), short].concat()))
    }
}
