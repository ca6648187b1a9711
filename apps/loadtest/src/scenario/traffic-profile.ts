export interface MessageSize {
  weight: number;
  bytes: number;
}

/** What the events of a run say. */
export interface TrafficProfile {
  services: number;
  /** How uneven they are: by Zipf's law with this exponent; 0, the default: all alike. */
  serviceSkew?: number;
  errorShare: number;
  eventsPerRequest: number;
  /** How many requests are under way at a time: their events are interleaved. */
  concurrentRequests: number;
  /** Of a message, at least; or sizes by weights. */
  messageBytes: number | readonly MessageSize[];
}

export const defaultTraffic: TrafficProfile = {
  services: 10,
  errorShare: 0.02,
  eventsPerRequest: 6,
  concurrentRequests: 20,
  messageBytes: 120,
};

/** Lines that were recorded, instead of events of the profile. */
export interface ReplayPlan {
  /** Where they are: NDJSON, plain or packed (`.gz`, `.zst`, `.xz`). */
  file: string;
  /** How much faster than they were recorded; undefined: as the stages say. */
  speed?: number;
}
