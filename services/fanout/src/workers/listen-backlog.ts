/**
 * Connections that the kernel holds until they are accepted, at most; `net.core.somaxconn` (4,096 by default) bounds it too. Node's 511
 * overflow when thousands of viewers come back at once: the kernel then drops the excess, and those viewers retry after 1, 3, 7 and more
 * seconds. With a longer backlog the excess gets a response instead (503, with Retry-After).
 */
export const listenBacklog = 4096;
