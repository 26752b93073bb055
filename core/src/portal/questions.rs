//! Security questions: where their answers are kept, and how they are replaced (SE-13).

use super::{Asker, CONTENTION_MAX, Portal, Reauthenticated, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{AccountId, SecurityAnswersRecord};
use crate::rules::question::{AcceptedAnswers, SecurityAnswers, accept};
use crate::store::records::{answers_key, family_key, gate_key};
use crate::store::{ChangeSet, Commit};
use crate::{VerifiedSession, store};

impl Portal {
    /// Which questions the person has answered, by id; never the answers.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn questions_set(&self, session: &VerifiedSession) -> Result<Vec<String>> {
        let answers = self.answers_of(session.account()).await?;
        Ok(answers.map_or_else(Vec::new, |answers| answers.value.questions))
    }

    /// Replaces all questions and answers. A recovery that is under way dies with the old ones.
    ///
    /// # Errors
    /// [`Refusal::AnswersUnacceptable`]; the session is no longer live; [`crate::Error::Busy`]; or the
    /// store did not answer.
    pub async fn set_questions(
        &self,
        proof: &Reauthenticated<'_>,
        answers: &SecurityAnswers,
        asker: &Asker,
    ) -> Result<()> {
        let session = proof.session();
        let account = session.account();
        let (entry, listed) = self.own_entry(session).await?;
        let about = self.about(&entry, &listed).await?;
        let about: Vec<&str> = about.iter().map(String::as_str).collect();
        let answers = accept(answers, self.questions_required(), &about)
            .map_err(Refusal::AnswersUnacceptable)?;
        let admission = self.admit(&entry)?;
        let phc = admission
            .hash()
            .hash(answers.hash_input(), self.random()?)
            .await?;
        for _ in 0..CONTENTION_MAX {
            let before = self.answers_of(account).await?;
            let generation = before.as_ref().map_or(0, |b| b.value.generation) + 1;
            let record = self.sealed_answers(account, generation, &answers, &phc)?;
            let judged = self.judge_again(session).await?;
            let mut changes = ChangeSet::new();
            changes.expect(gate_key(account), judged.gate.version);
            changes.expect(family_key(session.selector()), judged.family.version);
            let version = before.map(|before| before.version);
            put(&mut changes, answers_key(account), &record, version);
            let (kind, now) = (EventKind::DetailsChanged, self.now());
            self.audit(&mut changes, now, kind, Some(account), asker, "questions")?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    pub(super) async fn answers_of(
        &self,
        account: AccountId,
    ) -> Result<Option<store::Versioned<SecurityAnswersRecord>>> {
        self.read(&answers_key(account)).await
    }

    /// The record of accepted answers whose one hash is `phc`.
    pub(super) fn sealed_answers(
        &self,
        account: AccountId,
        generation: u64,
        answers: &AcceptedAnswers,
        phc: &str,
    ) -> Result<SecurityAnswersRecord> {
        let bound = generation.to_le_bytes();
        let context = [b"answers".as_slice(), account.as_bytes(), &bound];
        let sealed_hash =
            self.keys()
                .seal(KeyPurpose::Pepper, &context, phc.as_bytes(), self.entropy())?;
        Ok(SecurityAnswersRecord {
            questions: answers.questions().to_vec(),
            generation,
            sealed_hash,
        })
    }

    /// The one hash of somebody's answers.
    pub(super) fn open_answers(
        &self,
        account: AccountId,
        record: &SecurityAnswersRecord,
    ) -> Result<zeroize::Zeroizing<String>> {
        let bound = record.generation.to_le_bytes();
        let context = [b"answers".as_slice(), account.as_bytes(), &bound];
        let opened = self
            .keys()
            .open(KeyPurpose::Pepper, &context, &record.sealed_hash)?;
        let text =
            std::str::from_utf8(&opened).map_err(|_| crate::store::codec::DecodeError::Damaged)?;
        Ok(zeroize::Zeroizing::new(text.to_owned()))
    }
}
