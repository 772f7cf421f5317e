#[portway::hook]
async fn hook<T: Clone>(value: &T) {}

#[portway::hook]
async fn constant<const N: usize>(value: &[u8; N]) {}
