use portway::Head;

#[portway::hook]
async fn text(head: &mut Head, text: &str) {}

#[portway::hook]
async fn list(list: &[u8]) {}

#[portway::hook]
async fn object(object: &dyn Send) {}
