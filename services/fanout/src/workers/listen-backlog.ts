/**
 * Connections that the kernel holds until they are accepted, at most; `net.core.somaxconn` (4,096 by default) bounds it too. Node's 511
 * overflow when thousands of viewers come back at once: the kernel then drops what is over, and those viewers try again after 1, 3, 7
 * and more seconds, each time longer. Whoever is too many is to be answered instead (503, with Retry-After).
 */
export const listenBacklog = 4096;
