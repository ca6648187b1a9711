/**
 * What a generator takes, as measured: docs/loadtest.md, "What a run takes", says on which runs. Viewers of other kinds (TLS, compression, large
 * events, long runs) take more.
 */
export const generatorCosts = {
  /** Of each process before its first viewer, resident without the pages of files. */
  processBytes: 58e6,
  /** Of each viewer, resident. */
  viewerBytes: 19e3,
  /** The kernel's for the generator's end of a connection. */
  kernelBytes: 5.2e3,
  /** A viewer through the proxy of faults (bench/fault-proxy.ts). */
  proxiedBytes: 30e3,
  /** CPU of a delivery, and of a connection (docs/adr/0039-a-lean-client-for-the-load-tests-viewers.md, bench/loadtest-clients.ts). */
  deliveryMicros: 5.3,
  connectMicros: 110,
} as const;
