import type { Incident, Second } from '../result.ts';
import type { Measured } from '../verdict/measured.ts';
import type { Symptom, SymptomKind } from './analysis-result.ts';
import { rankCorrelation } from './series.ts';
import { usualOf } from './symptoms.ts';

/** Around an episode so many seconds are looked at, so that what changes has something to differ from. */
const aroundS = 10;

/** What an episode's seconds say, in the form in which rules ask for it. */
export class EpisodeFacts {
  readonly run: Measured;
  readonly symptoms: readonly Symptom[];
  readonly fromS: number;
  readonly toS: number;
  readonly seconds: readonly Second[];

  constructor(run: Measured, symptoms: readonly Symptom[], { fromS, toS }: { fromS: number; toS: number }) {
    this.run = run;
    this.symptoms = symptoms;
    this.fromS = fromS;
    this.toS = toS;
    this.seconds = run.timeline.filter(({ atS }) => atS >= fromS && atS < toS);
  }

  of(kind: SymptomKind): readonly Symptom[] {
    return this.symptoms.filter((symptom) => symptom.kind === kind);
  }

  has(kind: SymptomKind): boolean {
    return this.of(kind).length > 0;
  }

  /** In how many seconds of the episode it was seen. */
  secondsOf(kind: SymptomKind): number {
    return this.of(kind).reduce((sum, { fromS, toS }) => sum + toS - fromS, 0);
  }

  /** Null: it never began. */
  beginning(...kinds: readonly SymptomKind[]): number | null {
    const from = kinds.flatMap((kind) => this.of(kind)).map(({ fromS }) => fromS);
    return from.length === 0 ? null : Math.min(...from);
  }

  incidents(...kinds: readonly Incident['kind'][]): Incident[] {
    return this.run.incidents.filter(
      ({ kind, atS }) => kinds.includes(kind) && atS >= this.fromS && atS < this.toS,
    );
  }

  /** Of the viewers that watched before, the share that lost their connection. */
  get lostShare(): number {
    const drops = this.of('viewers-dropped');
    return Math.max(0, ...drops.map(({ amount, usual }) => (usual > 0 ? Math.min(1, amount / usual) : 0)));
  }

  /** The span of late deliveries with the highest latency. */
  get latest(): Symptom | undefined {
    return this.of('deliveries-late').toSorted((a, b) => b.amount - a.amount)[0];
  }

  /** In what share of the seconds with the latest deliveries a symptom was there; 0 where none were late. */
  shareOfLatest(...kinds: readonly SymptomKind[]): number {
    const { latest } = this;
    if (latest === undefined) return 0;
    const spans = kinds.flatMap((kind) => this.of(kind));
    let covered = 0;
    for (let atS = latest.fromS; atS < latest.toS; atS++)
      if (spans.some(({ fromS, toS }) => fromS <= atS && atS < toS)) covered++;
    return covered / (latest.toS - latest.fromS);
  }

  /** In what share of the seconds that have any of the symptoms another one was there; 0 where there are none. */
  shareOf(kinds: readonly SymptomKind[], other: SymptomKind): number {
    const among = (atS: number, kind: SymptomKind): boolean =>
      this.of(kind).some(({ fromS, toS }) => fromS <= atS && atS < toS);
    const seconds = this.seconds.filter(({ atS }) => kinds.some((kind) => among(atS, kind)));
    return seconds.length === 0 ? 0 : seconds.filter(({ atS }) => among(atS, other)).length / seconds.length;
  }

  /** Null where it was not measured. */
  highest(read: (second: Second) => number | null): number | null {
    const readings = this.seconds.map(read).filter((value) => value !== null);
    return readings.length === 0 ? null : Math.max(...readings);
  }

  /** Highest reading, as a multiple of what is usual in the run; null where it was not measured. */
  times(read: (second: Second) => number | null): number | null {
    const readings = this.seconds.map(read).filter((value) => value !== null);
    const usual = usualOf(this.run.timeline, read);
    return readings.length === 0 || !(usual > 0) ? null : Math.max(...readings) / usual;
  }

  /** Ranks' correlation of a dose with the p99 of deliveries, over the episode and the seconds around it; null where too little was measured. */
  doseOnLatency(dose: (second: Second) => number | null): number | null {
    const around = this.run.timeline.filter(
      (second) =>
        second.atS >= this.fromS - aroundS &&
        second.atS < this.toS + aroundS &&
        dose(second) !== null &&
        second.p99Ms !== null,
    );
    if (around.length < aroundS) return null;
    return rankCorrelation(
      around.map((second) => dose(second)!),
      around.map((second) => second.p99Ms!),
    );
  }
}
