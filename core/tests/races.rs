//! Every interleaving, up to a bound of preemptions, of operations that must not slip past each other.
//!
//! The store lets go of the thread before and after every call. A schedule says which operation goes on
//! next, which future is dropped and when, and when a commit that was under way at the drop lands after
//! all. All schedules with at most `PREEMPTIONS_MAX` switches away from an operation that could have
//! gone on are run, each from the same beginning. After every single step one thing is asked of every
//! token: if the warm table calls it live, the store must too.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::cell::{Cell as StdCell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use futures_executor::block_on;
use narthex_core::portal::LoggedIn;
use narthex_core::store::{
    Cell, ChangeSet, Commit, Key, MemoryStore, Record, Space, Store, StoreError, Version,
};
use narthex_core::{Portal, SessionToken};
use support::*;

const PREEMPTIONS_MAX: usize = 3;

/// Lets go of the thread around every call; keeps commits whose future was dropped.
#[derive(Debug, Default)]
struct SlowStore {
    inner: MemoryStore,
    slow: AtomicBool,
    /// Commits that were under way when their future was dropped: they may still land.
    orphans: Mutex<Vec<ChangeSet>>,
}

/// Makes an orphan of a commit that is dropped before it was made.
struct UnderWay<'a>(&'a SlowStore, Option<ChangeSet>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.orphans.lock().unwrap().extend(self.1.take());
    }
}

impl SlowStore {
    async fn let_go(&self) {
        if self.slow.load(Ordering::SeqCst) {
            let mut first = true;
            std::future::poll_fn(|_| {
                if std::mem::take(&mut first) {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
        }
    }

    /// Lets one commit land that nobody waits for any more.
    fn land_one(&self) -> bool {
        let orphan = self.orphans.lock().unwrap().pop();
        orphan.is_some_and(|changes| block_on(self.inner.commit(changes)).is_ok())
    }
}

#[async_trait]
impl Store for SlowStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        let found = self.inner.get(key).await;
        self.let_go().await;
        found
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.inner.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let mut under_way = UnderWay(self, Some(changes));
        self.let_go().await;
        let outcome = self.inner.commit(under_way.1.take().unwrap()).await;
        self.let_go().await;
        outcome
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.inner.scan(space, prefix, cursor, limit).await
    }
}

/// One person with two browsers, logged in.
struct World {
    store: Arc<SlowStore>,
    portal: Portal,
    /// A second portal over the same store that never trusts a warm table: the truth.
    truth: Portal,
    one: LoggedIn,
    two: LoggedIn,
    tokens: RefCell<Vec<SessionToken>>,
    acknowledged: StdCell<bool>,
}

fn world() -> World {
    let store = Arc::new(SlowStore::default());
    let house = House::new(Arc::clone(&store) as Arc<dyn Store>);
    let world = block_on(async {
        let portal = house.open().await;
        import(&portal, 1).await;
        claim(&portal, 0, PASSWORD).await.unwrap();
        let one = log_in(&portal, 0, PASSWORD).await.unwrap();
        let two = log_in(&portal, 0, PASSWORD).await.unwrap();
        for token in [&one.token, &two.token] {
            portal.verify_session(token).await.unwrap();
            assert!(is_warm(&portal, token));
        }
        let truth = house.open().await;
        let tokens = RefCell::new(vec![one.token.clone(), two.token.clone()]);
        World {
            store: Arc::clone(&store),
            portal,
            truth,
            one,
            two,
            tokens,
            acknowledged: StdCell::new(false),
        }
    });
    store.slow.store(true, Ordering::SeqCst);
    world
}

impl World {
    /// What the store says, read afresh: a portal opened now has nothing warm.
    fn really_live(&self, token: &SessionToken) -> bool {
        let slow = self.store.slow.swap(false, Ordering::SeqCst);
        let live = block_on(self.truth.verify_session_in_store(token)).is_ok();
        self.store.slow.store(slow, Ordering::SeqCst);
        live
    }

    fn nothing_stale_is_live(&self) {
        for token in self.tokens.borrow().iter() {
            if is_warm(&self.portal, token) {
                assert!(self.really_live(token), "warm, but ended in the store");
            }
        }
    }
}

type Op<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What a schedule can do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Poll(usize),
    Drop(usize),
    Land,
}

/// Runs all schedules: `ops` makes the operations anew for a new world, `end` judges how it came out.
fn explore(
    droppable: &[usize],
    ops: impl for<'a> Fn(&'a World) -> Vec<Op<'a>>,
    end: impl Fn(&World),
) -> usize {
    let mut prefix: Vec<usize> = Vec::new();
    let mut schedules = 0;
    loop {
        schedules += 1;
        let branches = run(&prefix, droppable, &ops, &end);
        // The next schedule in order: the last branch that has another choice takes it.
        let Some(last) = branches.iter().rposition(|(taken, of)| taken + 1 < *of) else {
            return schedules;
        };
        prefix = branches
            .iter()
            .take(last)
            .map(|(taken, _)| *taken)
            .collect();
        prefix.push(branches[last].0 + 1);
    }
}

fn run(
    prefix: &[usize],
    droppable: &[usize],
    ops: &impl for<'a> Fn(&'a World) -> Vec<Op<'a>>,
    end: &impl Fn(&World),
) -> Vec<(usize, usize)> {
    let world = world();
    let mut branches = Vec::new();
    {
        let mut ops: Vec<Option<Op<'_>>> = ops(&world).into_iter().map(Some).collect();
        let mut context = Context::from_waker(Waker::noop());
        let (mut current, mut preemptions) = (0, 0);
        while ops.iter().any(Option::is_some) {
            let mut choices = Vec::new();
            if ops[current].is_some() {
                choices.push(Step::Poll(current));
            }
            let free = ops[current].is_none();
            if free || preemptions < PREEMPTIONS_MAX {
                let others = (0..ops.len()).filter(|i| *i != current && ops[*i].is_some());
                choices.extend(others.map(Step::Poll));
                choices.extend(
                    droppable
                        .iter()
                        .filter(|i| ops[**i].is_some())
                        .map(|i| Step::Drop(*i)),
                );
                if !world.store.orphans.lock().unwrap().is_empty() {
                    choices.push(Step::Land);
                }
            }
            let taken = prefix.get(branches.len()).copied().unwrap_or(0);
            branches.push((taken, choices.len()));
            match choices[taken] {
                Step::Poll(i) => {
                    preemptions += usize::from(!free && i != current);
                    current = i;
                    if ops[i]
                        .as_mut()
                        .unwrap()
                        .as_mut()
                        .poll(&mut context)
                        .is_ready()
                    {
                        ops[i] = None;
                    }
                }
                Step::Drop(i) => {
                    preemptions += usize::from(!free && i != current);
                    ops[i] = None;
                }
                Step::Land => {
                    preemptions += usize::from(!free);
                    world.store.land_one();
                }
            }
            world.nothing_stale_is_live();
        }
    }
    world.store.slow.store(false, Ordering::SeqCst);
    while world.store.land_one() {
        world.nothing_stale_is_live();
    }
    end(&world);
    branches
}

#[test]
fn a_log_in_with_the_old_password_never_survives_the_change() {
    let seen = RefCell::new([0_usize; 2]);
    let schedules = explore(
        &[],
        |w| {
            vec![
                Box::pin(async {
                    if let Ok(logged_in) = log_in(&w.portal, 0, PASSWORD).await {
                        w.tokens.borrow_mut().insert(0, logged_in.token);
                    }
                }),
                Box::pin(async {
                    let changed = w
                        .portal
                        .change_password(
                            &w.one.session,
                            password(PASSWORD),
                            password(OTHER_PASSWORD),
                            &asker(),
                        )
                        .await;
                    w.tokens.borrow_mut().push(changed.unwrap().token);
                }),
            ]
        },
        |w| {
            let tokens = w.tokens.borrow();
            seen.borrow_mut()[usize::from(tokens.len() == 4)] += 1;
            let (kept, ended) = tokens.split_last().unwrap();
            assert!(block_on(is_live(&w.portal, kept)));
            for token in ended {
                assert!(
                    !block_on(is_live(&w.portal, token)),
                    "an old session lives on"
                );
            }
            assert!(block_on(log_in(&w.portal, 0, PASSWORD)).is_err());
            assert!(block_on(log_in(&w.portal, 0, OTHER_PASSWORD)).is_ok());
        },
    );
    let [refused, admitted] = seen.into_inner();
    assert!(
        refused > 0 && admitted > 0,
        "both orders must have occurred: {refused} {admitted}"
    );
    println!("{schedules} schedules");
}

#[test]
fn of_two_password_changes_at_once_one_wins() {
    let schedules = explore(
        &[],
        |w| {
            let change = |session, new: &'static str| async move {
                let new = password(new);
                let changed = w
                    .portal
                    .change_password(session, password(PASSWORD), new, &asker())
                    .await;
                if let Ok(changed) = changed {
                    w.tokens.borrow_mut().push(changed.token);
                }
            };
            vec![
                Box::pin(change(&w.one.session, "the first of two to win")),
                Box::pin(change(&w.two.session, "the second to be the one")),
            ]
        },
        |w| {
            let live = w
                .tokens
                .borrow()
                .iter()
                .filter(|t| block_on(is_live(&w.portal, t)))
                .count();
            assert_eq!(live, 1, "exactly the winner's family goes on");
            assert_eq!(
                w.tokens.borrow().len(),
                3,
                "exactly one change was acknowledged"
            );
            let works = |text| usize::from(block_on(log_in(&w.portal, 0, text)).is_ok());
            assert_eq!(works(PASSWORD), 0);
            assert_eq!(
                works("the first of two to win") + works("the second to be the one"),
                1
            );
        },
    );
    println!("{schedules} schedules");
}

#[test]
fn a_cold_load_never_brings_back_a_session_that_was_logged_out() {
    let schedules = explore(
        &[],
        |w| {
            vec![
                Box::pin(async {
                    w.portal.log_out(&w.one.token, &asker()).await.unwrap();
                    assert!(!is_warm(&w.portal, &w.one.token));
                }),
                Box::pin(async {
                    // Cold: the table is told to forget by a change that is put back unchanged.
                    let _ = w.portal.verify_session_in_store(&w.one.token).await;
                    let _ = w.portal.verify_session_in_store(&w.one.token).await;
                }),
            ]
        },
        |w| {
            assert!(!block_on(is_live(&w.portal, &w.one.token)));
            assert!(block_on(is_live(&w.portal, &w.two.token)));
        },
    );
    println!("{schedules} schedules");
}

#[test]
fn a_request_dropped_anywhere_leaves_nothing_stale() {
    let schedules = explore(
        &[0],
        |w| {
            vec![
                Box::pin(async {
                    let changed = w
                        .portal
                        .change_password(
                            &w.two.session,
                            password(PASSWORD),
                            password(OTHER_PASSWORD),
                            &asker(),
                        )
                        .await;
                    w.acknowledged.set(changed.is_ok());
                }),
                Box::pin(async {
                    let _ = w.portal.verify_session(&w.one.token).await;
                    let _ = w.portal.verify_session(&w.one.token).await;
                }),
            ]
        },
        |w| {
            let one = block_on(is_live(&w.portal, &w.one.token));
            let old = block_on(log_in(&w.portal, 0, PASSWORD)).is_ok();
            assert_eq!(
                one, old,
                "the password and the sessions of before live or die together"
            );
            assert!(
                !(w.acknowledged.get() && one),
                "acknowledged, and yet the old lives"
            );
        },
    );
    println!("{schedules} schedules");
}

#[test]
fn a_log_out_dropped_anywhere_leaves_nothing_stale() {
    let schedules = explore(
        &[0],
        |w| {
            vec![
                Box::pin(async {
                    w.portal.log_out(&w.one.token, &asker()).await.unwrap();
                }),
                Box::pin(async {
                    let _ = w.portal.verify_session(&w.one.token).await;
                    let _ = w.portal.verify_session(&w.one.token).await;
                }),
            ]
        },
        |w| {
            let live = block_on(is_live(&w.portal, &w.one.token));
            assert_eq!(live, w.really_live(&w.one.token));
        },
    );
    println!("{schedules} schedules");
}
