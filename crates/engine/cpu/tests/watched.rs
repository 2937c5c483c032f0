//! A run that tells how far it is, and can be ended.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

use cpu::{Network, Plan, Session};
use tensor::Tensor;
use weights::Weights;

fn session() -> (Session, Tensor) {
    let net = nets::by_name("transformer_net", r#"{"width": 8, "residual_blocks": 1}"#).unwrap();
    let weights = Weights::bind(&net.graph, testing::random_weights(&net.graph, 1)).unwrap();
    let network = Network::new(&net.graph, &weights).unwrap();
    let shape = [1, 3, 32, 40];
    let input = testing::Random::new(2).tensor(&shape, 100.0);
    (Session::new(Plan::new(&network, &[shape], &[]).unwrap()), input)
}

#[test]
fn it_rises_to_one_and_changes_no_bit() {
    let (mut session, input) = session();
    let mut told = vec![0.0];
    let watched = session.run_watched(&[&input], &mut |share| {
        told.push(share);
        true
    });
    assert!(told.is_sorted() && told.len() > 10, "{told:?}");
    assert!((told[told.len() - 1] - 1.0).abs() < 1e-9, "{told:?}");
    assert_eq!(watched.unwrap(), session.run(&[&input]));
}

#[test]
fn it_ends_when_told_to_and_the_session_can_run_again() {
    let (mut session, input) = session();
    let want = session.run(&[&input]);
    let mut calls = 0;
    let ended = session.run_watched(&[&input], &mut |_| {
        calls += 1;
        calls < 3
    });
    assert_eq!((ended, calls), (None, 3));
    assert_eq!(session.run(&[&input]), want);
}
