use overfit_lab::{presets, training::TrainingSession};
fn main() {
    let id = std::env::args().nth(1).unwrap();
    let mut e = presets::preset(&id).unwrap().experiment;
    e.training.epochs = 40;
    let mut s = TrainingSession::new(e, &std::env::args().nth(2).unwrap_or("flex".into())).unwrap();
    while !s.finished() {
        let m = s.run_epoch();
        println!(
            "{} {:.6} {} {:.3} {:.2}ms dead {:?}",
            m.epoch,
            m.loss,
            m.accuracy,
            m.gradient_norm,
            m.milliseconds,
            m.relu_layers.iter().map(|l| l.dead).collect::<Vec<_>>()
        );
    }
    println!("{:?}", s.evaluate());
}
