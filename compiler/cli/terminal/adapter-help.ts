/** What to say where no WebGPU adapter was found. */

/** A few lines on how to get an adapter on this machine. */
export function noAdapterHelp(platform: NodeJS.Platform = process.platform): string {
  const lines = ['the npm package webgpu has to be installed: npm install webgpu'];
  if (platform === 'linux') {
    lines.push(
      'and a Vulkan driver: that of the graphics card, or one that computes on the CPU:',
      '  Debian, Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1   (Mesa 23 or later; Debian 12: from backports)',
      '  in a clone of moec, without root: npm run setup-gpu',
      'a driver at another place: VK_ICD_FILENAMES=/path/to/icd.json',
    );
  } else if (platform === 'darwin') {
    lines.push('the driver (Metal) is part of the system');
  } else {
    lines.push('the driver (Direct3D 12) is part of the system');
  }
  lines.push('without a GPU: --on reference (float64, slow) or --on kernels (the kernels, on the CPU)');
  return lines.join('\n');
}
