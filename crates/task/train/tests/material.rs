//! Real photographs, where the folder that `PENTIMENTO_MATERIAL` names has them: how fast
//! they are read.

use std::time::Instant;

use train::data::{Folder, LoadOptions, Loader, Reading};

#[test]
fn photographs_are_read_faster_than_networks_are_trained() {
    let Some(material) = testing::material() else {
        eprintln!("skipped: PENTIMENTO_MATERIAL is not set");
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    let folder = Folder::open(&material.join("photos")).unwrap();
    // A stretch of the folder, so that the second time comes from the cache.
    let folder = folder.limited(400);
    for (what, cache) in [
        ("decoded", None),
        ("decoded, written to the cache", Some(cache.path().to_owned())),
        ("from the cache", Some(cache.path().to_owned())),
    ] {
        let reading = Reading { cache, threads: 1, ..Reading::default() };
        let options = LoadOptions { reading, ..LoadOptions::default() };
        let start = Instant::now();
        let mut loader = Loader::training(folder.clone(), options, 0).unwrap();
        let batches = 100;
        for _ in 0..batches {
            loader.next().unwrap().unwrap();
        }
        let each = start.elapsed() / batches;
        eprintln!("{what}: a batch of 4 at 256 in {each:.1?}, on 1 thread; {:?}", loader.times());
        assert_eq!(loader.bad(), [], "{what}");
        // Of a step of 0.9 s input may take 5 %.
        assert!(each.as_secs_f64() < 0.05 * 0.9, "{what}: {each:?} a batch");
    }
}
