/** A span as its events show it; times are microseconds. */
export interface Span {
  /** The span's id; services that share one have a span each. */
  id: string;
  service: string;
  clock: string;
  name: string;
  events: number;
  errors: number;
  /** From its first event, or that of a span below it, to the last. */
  from: number;
  to: number;
  /** The part of it in which none of its children ran. */
  self: number;
  /** How much later it is placed than its clock says, because it began before the span that called it. */
  movedBy: number;
  parent: Span | undefined;
  /** In the order of their beginnings. */
  children: Span[];
  /** 0 for a root. */
  depth: number;
  /** A span's descendants are those whose `enter` is between its `enter` and its `leave`. */
  enter: number;
  leave: number;
  /** On the way from the root that ended last, always to the child that ended last. */
  isCritical: boolean;
}
