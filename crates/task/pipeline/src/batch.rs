//! Many pictures, one after the other: the next is decoded and the last encoded
//! while the network works.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use imaging::{EncodeOptions, Limits, Picture};

use crate::{Job, Maker, PictureReport, PipelineError, Report, Status, Task};

/// How pictures are read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// What a picture may ask for.
    pub limits: Limits,
    /// How the results are encoded.
    pub encode: EncodeOptions,
}

/// What a batch tells whoever watches.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A picture is decoded and goes into the network.
    Begun(&'a Task),
    /// A picture is finished, well or badly.
    Ended(&'a PictureReport),
}

/// Pictures waiting between two stages. More would only take memory.
const WAITING: usize = 1;

/// A picture on its way, with the time spent on it so far.
struct Item<'a> {
    task: &'a Task,
    picture: Result<Picture, PipelineError>,
    spent: Duration,
}

/// A job, how to do it, and who wants to know or to stop it.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The pictures.
    pub job: &'a Job,
    /// How they are read and written.
    pub files: &'a FileOptions,
    /// Set from outside to stop after the picture in work.
    pub stop: &'a AtomicBool,
    /// Is told what happens, from any thread.
    pub watch: &'a (dyn Fn(&Event<'_>) + Sync),
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("job", self.job).field("files", self.files).finish()
    }
}

impl Batch<'_> {
    /// Makes each of the job's pictures by `make`, which runs on this thread.
    ///
    /// A picture that fails, even by a panic, is reported and the next one
    /// taken. The result does not depend on how the stages overlap.
    pub fn run(
        &self,
        maker: Maker,
        make: impl FnMut(&Picture) -> Result<Picture, PipelineError>,
    ) -> Report {
        let start = Instant::now();
        let mut ended: Vec<PictureReport> = vec![];
        for bad in &self.job.unreadable {
            let report = PictureReport::failed(&bad.path, None, bad.error.clone());
            (self.watch)(&Event::Ended(&report));
            ended.push(report);
        }
        ended.extend(self.job.done.iter().map(PictureReport::skipped));
        let finished = thread::scope(|scope| {
            let (to_network, decoded) = sync_channel(WAITING);
            let (to_disk, styled) = sync_channel(WAITING);
            scope.spawn(move || self.read(&to_network));
            let writer = scope.spawn(move || self.write(&styled));
            self.style(&decoded, &to_disk, make);
            drop((decoded, to_disk)); // the reader stops, the writer finishes
            writer.join().unwrap_or_default()
        });
        let left = self.job.tasks.len() - finished.len();
        ended.extend(finished);
        Report {
            left,
            interrupted: left > 0,
            seconds: start.elapsed().as_secs_f64(),
            ..Report::new(maker, ended)
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn read<'b>(&'b self, to_network: &SyncSender<Item<'b>>) {
        for task in &self.job.tasks {
            if self.stopped() {
                return;
            }
            let start = Instant::now();
            let picture = guarded(|| Ok(imaging::decode_file(&task.input, &self.files.limits)?));
            if to_network.send(Item { task, picture, spent: start.elapsed() }).is_err() {
                return; // nobody takes pictures any more
            }
        }
    }

    fn style<'b>(
        &self,
        decoded: &Receiver<Item<'b>>,
        to_disk: &SyncSender<Item<'b>>,
        mut make: impl FnMut(&Picture) -> Result<Picture, PipelineError>,
    ) {
        for Item { task, picture, spent } in decoded {
            if self.stopped() {
                return;
            }
            (self.watch)(&Event::Begun(task));
            let start = Instant::now();
            let picture = picture.and_then(|p| guarded(|| make(&p)));
            if to_disk.send(Item { task, picture, spent: spent + start.elapsed() }).is_err() {
                return;
            }
        }
    }

    fn write(&self, styled: &Receiver<Item<'_>>) -> Vec<PictureReport> {
        let finish = |Item { task, picture, spent }: Item<'_>| {
            let start = Instant::now();
            let written = picture.and_then(|p| {
                guarded(|| save(&p, task, self.files.encode))?;
                Ok([p.width(), p.height()])
            });
            let report = match written {
                Ok(size) => PictureReport {
                    status: Status::Done,
                    size: Some(size),
                    ms: Some((spent + start.elapsed()).as_millis() as u64),
                    ..PictureReport::skipped(task)
                },
                Err(e) => PictureReport::failed(&task.input, Some(&task.output), e.to_string()),
            };
            (self.watch)(&Event::Ended(&report));
            report
        };
        styled.iter().map(finish).collect()
    }
}

fn save(picture: &Picture, task: &Task, options: EncodeOptions) -> Result<(), PipelineError> {
    let bytes = imaging::encode(picture, task.format, &options)?;
    let unwritable = |source| PipelineError::Unwritable { path: task.output.clone(), source };
    if let Some(folder) = task.output.parent().filter(|f| *f != Path::new("")) {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    imaging::atomic_write(&task.output, &bytes).map_err(unwritable)
}

/// A bug that shows in one picture must not take the others with it.
fn guarded<T>(work: impl FnOnce() -> Result<T, PipelineError>) -> Result<T, PipelineError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(PipelineError::Panic { what: message(panic.as_ref()) }))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JobOptions;
    use imaging::{Channels, Pixels};
    use std::path::PathBuf;
    use std::sync::Mutex;

    const SIZE: [usize; 2] = [3, 4];

    /// A folder of five pictures and the job of copying them.
    fn five() -> (tempfile::TempDir, Job) {
        let dir = tempfile::tempdir().unwrap();
        for i in 0..5 {
            let picture = Picture::new(SIZE, Channels::Rgb, Pixels::U8(vec![i; 36]));
            let path = dir.path().join(format!("in{i}.png"));
            imaging::encode_file(&picture, &path, &EncodeOptions::default()).unwrap();
        }
        let inputs: Vec<PathBuf> = (0..5).map(|i| dir.path().join(format!("in{i}.png"))).collect();
        let out = dir.path().join("out");
        let job = Job::plan(&inputs, &out, &JobOptions::default()).unwrap();
        (dir, job)
    }

    fn run(
        job: &Job,
        stop: &AtomicBool,
        make: impl FnMut(&Picture) -> Result<Picture, PipelineError>,
    ) -> (Report, usize) {
        let ended = Mutex::new(0);
        let watch = |event: &Event<'_>| {
            if let Event::Ended(_) = event {
                *ended.lock().unwrap() += 1;
            }
        };
        let report = Batch { job, files: &FileOptions::default(), stop, watch: &watch };
        let report = report.run(Maker::Style("test".into()), make);
        (report, ended.into_inner().unwrap())
    }

    fn statuses(report: &Report) -> Vec<Status> {
        report.pictures.iter().map(|p| p.status).collect()
    }

    #[test]
    fn a_failure_and_a_panic_stop_nobody_else() {
        let (_dir, job) = five();
        let mut turn = 0;
        let (report, ended) = run(&job, &AtomicBool::new(false), |picture| {
            turn += 1;
            match turn {
                2 => Err(PipelineError::NotFinite),
                3 => panic!("a bug"),
                _ => Ok(picture.clone()),
            }
        });
        let (done, failed) = (Status::Done, Status::Failed);
        assert_eq!(statuses(&report), [done, failed, failed, done, done]);
        assert_eq!((report.done, report.failed, report.left, ended), (3, 2, 0, 5));
        assert!(report.pictures[2].error.as_ref().unwrap().contains("a bug"));
        assert!(!job.tasks[2].output.exists());
    }

    #[test]
    fn stopped_it_finishes_the_picture_in_work() {
        let (_dir, job) = five();
        let stop = AtomicBool::new(false);
        let mut turn = 0;
        let (report, _) = run(&job, &stop, |picture| {
            turn += 1;
            stop.store(turn == 2, Ordering::Relaxed);
            Ok(picture.clone())
        });
        assert_eq!((report.done, report.left, report.interrupted), (2, 3, true));
        let there = job.tasks.iter().map(|t| t.output.exists()).collect::<Vec<_>>();
        assert_eq!(there, [true, true, false, false, false]);
    }

    #[test]
    fn a_picture_that_vanished_or_an_output_that_cannot_be_is_reported() {
        let (dir, job) = five();
        fs::remove_file(&job.tasks[1].input).unwrap();
        fs::create_dir_all(&job.tasks[3].output).unwrap();
        let (report, _) = run(&job, &AtomicBool::new(false), |p| Ok(p.clone()));
        assert_eq!((report.done, report.failed), (3, 2));
        let left = fs::read_dir(dir.path().join("out")).unwrap().count();
        assert_eq!(left, 4, "temporary files stay behind");
    }
}
