// Makes a worker answer each message with the result of the handler for the message's kind.
export function answers(handlers) {
  self.onmessage = async ({ data }) => {
    try {
      self.postMessage({ answer: await handlers[data.kind](data) });
    } catch (error) {
      self.postMessage({ error: String(error?.stack ?? error) });
    }
  };
}
