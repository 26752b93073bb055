use std::sync::mpsc;

use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::lock::Mutex as AsyncMutex;

use super::*;
use crate::settings::HashSettings;

const LONG: Duration = Duration::from_secs(20);

struct House {
    pool: Pool,
    places: Arc<Places>,
}

fn house(workers: usize, queue: usize, idle: Duration) -> House {
    let places = Arc::new(Places::new(&HashSettings {
        workers,
        queue,
        ..HashSettings::default()
    }));
    let pool = Pool::start(PoolPlan {
        workers,
        idle,
        blocks_kept: 64,
        places: Arc::clone(&places),
    });
    House {
        pool: pool.unwrap(),
        places,
    }
}

impl House {
    fn turn(&self) -> Turn {
        let place = Arc::new(AsyncMutex::new(self.places.take().unwrap()));
        place.lock_owned().now_or_never().unwrap()
    }

    /// Keeps one worker busy until the sender is dropped.
    fn occupy(&self) -> mpsc::Sender<()> {
        let (release, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let shared = Arc::clone(self.pool.shared());
        let turn = self.turn();
        std::thread::spawn(move || {
            block_on(shared.run(turn, move |_| {
                begun.send(()).unwrap();
                let _ = wait.recv();
                Ok(())
            }))
        });
        has_begun.recv_timeout(LONG).unwrap();
        release
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain until {what}");
}

#[test]
fn a_panic_is_a_fault_for_its_caller_and_the_worker_goes_on() {
    let house = house(1, 4, LONG);
    let shared = house.pool.shared();
    let answer = block_on(shared.run::<()>(house.turn(), |arena| {
        arena.blocks(8)?;
        panic!("part of the test");
    }));
    assert_eq!(answer, Err(fault("the hash worker panicked")));
    assert_eq!(
        shared.arena_bytes(),
        0,
        "nothing of the broken hash is kept"
    );
    assert_eq!(house.places.taken(), 0);
    assert_eq!(block_on(shared.run(house.turn(), |_| Ok(7))), Ok(7));
}

#[test]
fn a_job_whose_caller_leaves_is_out_of_the_queue_at_once_and_never_runs() {
    let house = house(1, 4, LONG);
    let shared = house.pool.shared();
    let release = house.occupy();
    let (ran, has_run) = mpsc::channel();
    let mut leaves = Box::pin(shared.run(house.turn(), move |_| Ok(ran.send(()))));
    assert!(leaves.as_mut().now_or_never().is_none());
    assert_eq!(house.places.taken(), 2);
    drop(leaves);
    assert_eq!(
        house.places.taken(),
        1,
        "the place is free while the worker is still busy"
    );
    drop(release);
    assert_eq!(block_on(shared.run(house.turn(), |_| Ok(7))), Ok(7));
    assert_eq!(has_run.try_recv(), Err(mpsc::TryRecvError::Disconnected));
}

#[test]
fn a_job_that_runs_keeps_its_place_until_it_is_done_though_its_caller_left() {
    let house = house(1, 0, LONG);
    let shared = house.pool.shared();
    let (release, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let mut leaves = Box::pin(shared.run(house.turn(), move |_| {
        begun.send(()).unwrap();
        let _ = wait.recv();
        Ok(())
    }));
    assert!(leaves.as_mut().now_or_never().is_none());
    has_begun.recv_timeout(LONG).unwrap();
    drop(leaves);
    assert!(house.places.take().is_err(), "its arena is still in use");
    drop(release);
    until("the place is back", || house.places.taken() == 0);
}

#[test]
fn closing_answers_those_who_wait_and_those_who_come_later() {
    let house = house(1, 4, LONG);
    let shared = Arc::clone(house.pool.shared());
    let release = house.occupy();
    let late = house.turn();
    let mut waits = Box::pin(shared.run(house.turn(), |_| Ok(())));
    assert!(waits.as_mut().now_or_never().is_none());
    let places = Arc::clone(&house.places);
    let dropper = std::thread::spawn(move || drop(house));
    let gone = Err(fault("the hasher was shut down"));
    assert_eq!(block_on(waits), gone);
    assert_eq!(block_on(shared.run(late, |_| Ok(()))), gone);
    drop(release);
    dropper.join().unwrap();
    assert_eq!(places.taken(), 0);
}

#[test]
fn workers_that_died_hang_nobody() {
    let house = house(1, 4, LONG);
    let shared = house.pool.shared();
    let release = house.occupy();
    let mut waits = Box::pin(shared.run(house.turn(), |_| Ok(())));
    assert!(waits.as_mut().now_or_never().is_none());
    drop(Alive(shared)); // what the end of the only worker's thread does
    assert_eq!(block_on(waits), Err(fault("the hasher was shut down")));
    shared.lock().workers_alive = 1; // it lives after all, and has to be joined
    drop(release);
}

#[test]
fn an_idle_worker_gives_its_arena_up_and_a_busy_one_keeps_it() {
    let house = house(1, 4, Duration::from_millis(200));
    let shared = house.pool.shared();
    let held = |arena: &mut Arena| arena.blocks(64).map(|_| ());
    block_on(shared.run(house.turn(), held)).unwrap();
    assert_eq!(shared.arena_bytes(), 64 * 1024);
    until("the arena is given up", || shared.arena_bytes() == 0);
    block_on(shared.run(house.turn(), held)).unwrap();
    assert_eq!(
        shared.arena_bytes(),
        64 * 1024,
        "and made again when needed"
    );
}

#[test]
fn jobs_run_in_the_order_they_came() {
    let house = house(1, 16, LONG);
    let shared = house.pool.shared();
    let release = house.occupy();
    let (ran, order) = mpsc::channel();
    let jobs = (0..10).map(|n| {
        let ran = ran.clone();
        let mut job = Box::pin(shared.run(house.turn(), move |_| Ok(ran.send(n))));
        assert!(job.as_mut().now_or_never().is_none());
        job
    });
    let mut jobs = jobs.collect::<Vec<_>>();
    drop(jobs.remove(4));
    drop(release);
    block_on(futures_util::future::join_all(jobs));
    assert_eq!(
        order.try_iter().collect::<Vec<_>>(),
        [0, 1, 2, 3, 5, 6, 7, 8, 9]
    );
}
