/* Line charts: each .chart carries its data. Redrawn on resize, on a change of theme, and after a swap. */
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dashes = [undefined, [8, 4], [2, 3], undefined];
  const clock = new Intl.DateTimeFormat('vi-VN', { hour: '2-digit', minute: '2-digit', hour12: false, timeZone: 'Asia/Ho_Chi_Minh' });
  const drawn = new Map();

  function threshold(limit, words) {
    const draw = (plot) => {
      const y = plot.valToPos(limit, 'y', true), { ctx, bbox } = plot;
      if (y < bbox.top) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour('--warn');
      ctx.setLineDash([6, 5]); ctx.lineWidth = 1.5;
      ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
      ctx.textAlign = 'left'; ctx.textBaseline = 'alphabetic';
      ctx.font = `${12 * devicePixelRatio}px "Inter Variable"`;
      ctx.fillText(words, bbox.left + 8 * devicePixelRatio, y - 6 * devicePixelRatio);
      ctx.restore();
    };
    return { hooks: { draw: [draw] } };
  }

  function draw(box) {
    drawn.get(box)?.destroy();
    const data = JSON.parse(box.dataset.chart);
    const axis = { stroke: colour('--ink-3'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '12px "Inter Variable"' };
    const lines = data.series.map((each, at) => ({
      label: each.name, stroke: colour(`--c${at % 4 + 1}`), width: 2, dash: dashes[at % 4], points: { show: false },
    }));
    drawn.set(box, new uPlot({
      width: box.clientWidth, height: box.clientHeight || 236, padding: [10, 22, 0, 0], legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      plugins: data.limit == null ? [] : [threshold(data.limit, data.limit_text || '')],
      scales: { y: { range: (plot, low, high) => [0, Math.max(high * 1.15, data.limit ? data.limit * 1.2 : 0, 4)] } },
      axes: [
        { ...axis, size: 28, space: 70, values: (plot, ticks) => ticks.map((tick) => clock.format(tick * 1000)) },
        { ...axis, size: 52, values: (plot, ticks) => ticks.map((tick) => tick.toLocaleString('vi-VN')) },
      ],
      series: [{}, ...lines],
    }, [data.x, ...data.series.map((each) => each.values)], box));
    resized.observe(box);
  }

  const resized = new ResizeObserver((changes) => changes.forEach(({ target }) => {
    if (target.isConnected) drawn.get(target)?.setSize({ width: target.clientWidth, height: target.clientHeight || 236 });
  }));
  function drawAll() {
    for (const [box, plot] of drawn) if (!box.isConnected) { plot.destroy(); drawn.delete(box); }
    document.querySelectorAll('.chart[data-chart]').forEach(draw);
  }
  document.addEventListener('theme', drawAll);
  document.addEventListener('htmx:after:swap', drawAll);
  document.fonts.ready.then(drawAll);
})();
