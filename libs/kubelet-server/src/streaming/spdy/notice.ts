/** Lets any number of waiters look again: something that they wait for may have changed. */
export class Notice {
  #next = Promise.withResolvers<void>();

  /** Until the next `notify`. */
  wait(): Promise<void> {
    return this.#next.promise;
  }

  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }
}
