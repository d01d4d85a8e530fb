use std::sync::atomic::AtomicUsize;

use super::*;

#[test]
fn nobody_who_is_called_to_watch_and_finds_somebody_else_there_is_forgotten() {
    const THREADS: usize = 6;
    const PATIENCE: Duration = Duration::from_secs(20);
    assert!(PATIENCE < IDLE, "by then all would wake up by themselves");
    let crew = Crew::new(THREADS - 1, Record::default()).unwrap();
    let watches = AtomicUsize::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            crew.note_thread(1);
            scope.spawn(|| {
                while crew.stand_by() == Duty::Watch {
                    watches.fetch_add(1, Ordering::Relaxed);
                    crew.leave_watch();
                }
                crew.note_thread(-1);
            });
        }
        // Calls come while some are on their way to sleep, and others take the watch just before them.
        while watches.load(Ordering::Relaxed) < 500_000 && began.elapsed() < PATIENCE {
            assert!(!crew.replace_watcher(), "nobody is missing");
        }
        crew.dismiss();
        let (left, _) = crew.wait_for(Some(PATIENCE), |threads, _| threads == 0);
        assert_eq!(left, 0, "they sleep on");
    });
}
