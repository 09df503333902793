import { expect, test } from 'vitest';
import { bytesIn, cpuMsIn, usageIsMissing, usageOf } from '../../src/tunnel/usage.ts';

const FIELDS_FROM_THE_THIRD = 'S 1 42 42 0 -1 4194304 900 0 0 0 123 45 6 7 20 0 11 0 99 1000 200';

test('the CPU time of a process is its time in user mode and in the kernel, in ticks of 10 ms', () => {
  expect(cpuMsIn(`42 (node) ${FIELDS_FROM_THE_THIRD}`)).toBe(1680);
});

test('the name of a program may have spaces and brackets', () => {
  expect(cpuMsIn(`42 (a ) b (c) ${FIELDS_FROM_THE_THIRD}`)).toBe(1680);
});

test('memory is given in KiB', () => {
  expect(bytesIn('VmHWM:\t     20 kB\nVmRSS:\t     12 kB\n', 'VmRSS')).toBe(12_288);
  expect(bytesIn('Name:\tnode\n', 'VmRSS')).toBeNaN();
});

test.skipIf(usageIsMissing() !== undefined)('this process has used some of each', () => {
  const { cpuMs, memory, peakMemory } = usageOf(process.pid);
  expect(cpuMs).toBeGreaterThan(0);
  expect(memory).toBeGreaterThan(1_000_000);
  expect(peakMemory).toBeGreaterThanOrEqual(memory);
});
