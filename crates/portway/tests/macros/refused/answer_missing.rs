#[portway::after]
async fn stamp(head: &mut portway::Head) {}
