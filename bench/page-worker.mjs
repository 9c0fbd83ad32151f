// A worker of the measuring page, seen from Node.

export class PageWorker {
  #page;
  #number;

  static async start(page, url) {
    const worker = new PageWorker();
    worker.#page = page;
    worker.#number = await page.evaluate((url) => window.startWorker(url), url);
    return worker;
  }

  async ask(message) {
    const order = { number: this.#number, message };
    const { answer, error } = await this.#page.evaluate((order) => window.askWorker(order), order);
    if (error !== undefined) throw new Error(error);
    return answer;
  }

  stop() {
    return this.#page.evaluate((number) => window.stopWorker(number), this.#number);
  }
}
