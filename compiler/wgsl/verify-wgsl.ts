/**
 * The verifier of shader texts: what the runtime builds a pipeline from stands in them, as the kernel says it. That a text is WGSL is
 * for a device, or tests with a validator, to say: it follows from what the kernel verifier holds.
 */
import { verified } from '../../dsl/diagnostics/bug.ts';
import type { Kernel } from '../kernel/kernel-ir.ts';
import { bindingLayout, ENTRY_POINT, shapeText } from './print-wgsl.ts';

export function verifyWgsl(kernel: Kernel, text: string): void {
  verified('wgsl', `the shader of ${kernel.name}`, wgslFaults(kernel, text));
}

/** What is wrong with a shader text, one sentence each; empty if nothing is. */
export function wgslFaults(kernel: Kernel, text: string): readonly string[] {
  const faults: string[] = [];
  const { buffers, uniforms } = bindingLayout(kernel);
  const bindings = [...text.matchAll(/@binding\((\d+)\)/g)].map(([, number]) => Number(number));
  const wanted = [...buffers.map((b) => b.binding), ...(uniforms === undefined ? [] : [uniforms.binding])];
  if (bindings.join() !== wanted.join()) faults.push(`has the bindings ${bindings.join()} for ${wanted.join()}`);
  const accesses = [...text.matchAll(/var<storage, (read|read_write)>/g)].map(([, access]) => access);
  if (accesses.join() !== buffers.map((b) => b.access).join()) faults.push('binds memory for other uses');
  if (!text.includes(`fn ${ENTRY_POINT}(`)) faults.push(`has no function ${ENTRY_POINT}`);
  if (!text.includes(shapeText(kernel))) faults.push('has another workgroup size');
  // Names are made of letters by the printer, so brackets are the program's own.
  for (const [open, close] of ['()', '{}', '[]']) {
    if (text.split(open ?? '').length !== text.split(close ?? '').length) faults.push(`has ${open} without ${close}`);
  }
  if (/[^\n -~]/.test(text)) faults.push('is not ASCII');
  return faults;
}
