import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type {
  FromProducer,
  FromViewers,
  ProducerEnd,
  ProducerSecond,
  ProducerStart,
  Ready,
  ToProducer,
  ToViewers,
  ViewersEnd,
  ViewersSecond,
  ViewersTally,
} from './messages.ts';

interface Listeners {
  onViewersSecond: (figures: ViewersSecond) => void;
  onProducerSecond: (figures: ProducerSecond) => void;
}

/** The processes of a run: one that sends, and as many of viewers as are needed. They end with this one. */
export class Generator implements Disposable {
  readonly #viewers: ChildProcess[];
  readonly #producer: ChildProcess;
  readonly #ready: Promise<void>[] = [];
  readonly #failed = Promise.withResolvers<never>();
  readonly #produced = Promise.withResolvers<ProducerEnd>();
  #onTally: (tally: ViewersTally) => void = () => {};
  #onEnd: (end: ViewersEnd) => void = () => {};
  #isOver = false;

  constructor(processes: number, { onViewersSecond, onProducerSecond }: Listeners) {
    this.#failed.promise.catch(() => {});
    this.#viewers = Array.from({ length: processes }, () =>
      this.#fork<FromViewers>('viewers-main.ts', (message) => {
        if (message.type === 'second') onViewersSecond(message);
        else if (message.type === 'tally') this.#onTally(message);
        else this.#onEnd(message);
      }),
    );
    this.#producer = this.#fork<FromProducer>('producer-main.ts', (message) => {
      if (message.type === 'second') onProducerSecond(message);
      else this.#produced.resolve(message);
    });
  }

  /** How many processes: of viewers, and the one that sends. */
  get processes(): number {
    return this.#viewers.length + 1;
  }

  /** Resolves when all processes have loaded their code, which takes seconds where they are many. */
  async ready(): Promise<void> {
    await Promise.race([Promise.all(this.#ready), this.#failed.promise]);
  }

  get pids(): number[] {
    return [...this.#viewers, this.#producer].map(({ pid }) => pid!);
  }

  /** Begins; resolves when the fate of every event is known. */
  start(
    viewers: Omit<Extract<ToViewers, { type: 'start' }>, 'type' | 'index' | 'processes'>,
    producer: Omit<ProducerStart, 'type'>,
  ): Promise<ProducerEnd> {
    for (const [index, child] of this.#viewers.entries())
      child.send({ ...viewers, type: 'start', index, processes: this.#viewers.length } satisfies ToViewers);
    this.#producer.send({ ...producer, type: 'start' } satisfies ToProducer);
    return Promise.race([this.#produced.promise, this.#failed.promise]);
  }

  /** Sends nothing more. */
  abort(): void {
    this.#producer.send({ type: 'abort' } satisfies ToProducer);
  }

  /** From now on the timestamps of events are off by so much. */
  setClock(offsetMs: number): void {
    this.#producer.send({ type: 'clock', offsetMs } satisfies ToProducer);
  }

  tell(message: ToViewers): void {
    for (const child of this.#viewers) child.send(message);
  }

  tally(): Promise<ViewersTally[]> {
    return this.#collect<ViewersTally>({ type: 'tally' }, (each) => (this.#onTally = each));
  }

  /** The viewers' final accounts; the processes end. */
  async finish(notStored: number[]): Promise<ViewersEnd[]> {
    this.#isOver = true;
    return this.#collect<ViewersEnd>({ type: 'finish', notStored }, (each) => (this.#onEnd = each));
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const child of [...this.#viewers, this.#producer]) child.kill('SIGKILL');
  }

  async #collect<T>(question: ToViewers, listen: (each: (answer: T) => void) => void): Promise<T[]> {
    const answers: T[] = [];
    const all = Promise.withResolvers<T[]>();
    listen((answer) => {
      answers.push(answer);
      if (answers.length === this.#viewers.length) all.resolve(answers);
    });
    this.tell(question);
    return Promise.race([all.promise, this.#failed.promise]);
  }

  #fork<Message extends { type: string }>(file: string, onMessage: (message: Message) => void): ChildProcess {
    const child = fork(join(import.meta.dirname, file), { serialization: 'advanced' });
    const ready = Promise.withResolvers<void>();
    this.#ready.push(ready.promise);
    child.on('message', (message: Message | Ready) => {
      if (message.type === 'ready') ready.resolve();
      else onMessage(message as Message);
    });
    child.on('exit', (code, signal) => {
      if (!this.#isOver)
        this.#failed.reject(new Error(`a process of the generator ended with ${code ?? signal}`));
    });
    return child;
  }
}
