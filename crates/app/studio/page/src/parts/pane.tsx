/** An image that is replaced only when the next one can be drawn, so that nothing flickers. */

import { useEffect, useState } from "preact/hooks";

interface PaneProps {
  readonly src: string;
  readonly alt: string;
  readonly name?: string;
}

export function Pane({ src, alt, name }: PaneProps) {
  const [ready, setReady] = useState(src);
  useEffect(() => {
    if (src === ready) return;
    let wanted = true;
    const next = new Image();
    next.src = src;
    const show = (): void => {
      if (wanted) setReady(src);
    };
    next.decode().then(show, show);
    return () => {
      wanted = false;
    };
  }, [src]);
  return <img class={`pane ${name ?? ""}`} src={ready} alt={alt} draggable={false} />;
}
