use std::rc::Rc;

async fn wait() {}

#[portway::hook]
async fn holds() {
    let kept = Rc::new(1);
    wait().await;
    drop(kept);
}

#[portway::service]
mod shop {
    #[portway::get("/a", before = [super::holds])]
    async fn a() {}
}
