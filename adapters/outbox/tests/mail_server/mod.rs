//! A mail server for the tests of this crate, inside and out.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A mail server that takes one letter and keeps what was said to it.
pub(crate) async fn server(answer_to_rcpt: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let talk = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let (read, mut write) = socket.into_split();
        let mut lines = BufReader::new(read).lines();
        let (mut said, mut letter) = (String::new(), false);
        write.write_all(b"220 here\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            said.push_str(&line);
            said.push('\n');
            let answer = match line.split(' ').next().unwrap_or("") {
                "." => {
                    letter = false;
                    "250 taken\r\n"
                }
                _ if letter => continue,
                "DATA" => {
                    letter = true;
                    "354 go on\r\n"
                }
                "RCPT" => answer_to_rcpt,
                "QUIT" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            if write.write_all(answer.as_bytes()).await.is_err() || line == "QUIT" {
                break;
            }
        }
        said
    });
    (url, talk)
}
