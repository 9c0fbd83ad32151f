/** The processor of a GPU backend, and the browser's name for it; nothing for other backends. */
export async function processor(backend) {
  const name = { webgl: renderer, webgpu: adapter }[backend];
  if (!name) return {};
  const text = await name();
  return { processor: /swiftshader|llvmpipe/i.test(text) ? "software GPU" : "GPU", adapter: text };
}

function renderer() {
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  return context.getParameter(context.getExtension("WEBGL_debug_renderer_info").UNMASKED_RENDERER_WEBGL);
}

async function adapter() {
  const { info } = await navigator.gpu.requestAdapter();
  return [info.vendor, info.architecture, info.description].filter(Boolean).join(" ");
}
