/** Microseconds since 1970: `fromMicros` belongs to it, `toMicros` does not. */
export interface TimeRange {
  fromMicros?: number | undefined;
  toMicros?: number | undefined;
}
