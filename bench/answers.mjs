// A worker that answers each message with what the handler of its kind returns.
export function answers(handlers) {
  self.onmessage = async ({ data }) => {
    try {
      self.postMessage({ answer: await handlers[data.kind](data) });
    } catch (error) {
      self.postMessage({ error: String(error?.stack ?? error) });
    }
  };
}
