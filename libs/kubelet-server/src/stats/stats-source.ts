import type { KubeletProvider } from '../provider.ts';
import { nodeUsage, type NodeUsage, type UsageHistory } from './usage.ts';

/** One look serves all who ask within this time: each costs the site a question per container. */
const freshMs = 5_000;
const deadlineMs = 20_000;

/** What the node's pods use, looked up when somebody asks. */
export class StatsSource {
  readonly #provider: Pick<KubeletProvider, 'stats'>;
  readonly #now: () => number;
  readonly #stop: AbortSignal;
  #history: UsageHistory | undefined;
  #latest: { readonly usage: Promise<NodeUsage>; readonly at: number } | undefined;

  /** `now` is monotonic, ms; `stop` ends a look that is under way. */
  constructor(provider: Pick<KubeletProvider, 'stats'>, now: () => number, stop: AbortSignal) {
    this.#provider = provider;
    this.#now = now;
    this.#stop = stop;
  }

  /** @throws InterlinkError of the provider, to each who asks in the meantime */
  async usage(): Promise<NodeUsage> {
    if (this.#latest !== undefined && this.#now() < this.#latest.at + freshMs) return this.#latest.usage;
    const usage = this.#look();
    const latest = { usage, at: this.#now() };
    this.#latest = latest;
    try {
      return await usage;
    } catch (error) {
      // A failure is told to those who waited for it, and not kept.
      if (this.#latest === latest) this.#latest = undefined;
      throw error;
    }
  }

  async #look(): Promise<NodeUsage> {
    const due = AbortSignal.any([this.#stop, AbortSignal.timeout(deadlineMs)]);
    const stats = await this.#provider.stats(due);
    const { user, system } = process.cpuUsage();
    const own = { cpuNanoSeconds: (user + system) * 1000, rssBytes: process.memoryUsage.rss() };
    const { usage, history } = nodeUsage(stats, own, this.#history);
    this.#history = history;
    return usage;
  }
}
