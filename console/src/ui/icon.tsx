/** Drawn on a grid of 16, with lines of 1.5. What an icon means stands beside it or in a label. */

const PATHS = {
  map: "M3.5 5.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM12.5 9.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM4.5 14.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM5.4 4.2l5.2 2.5M6.2 11.6l4.6-2.9",
  services: "M2 3.5h12v4H2zM2 9.5h12v4H2zM4.5 5.5h.01M4.5 11.5h.01M8 5.5h3.5M8 11.5h3.5",
  requests: "M2 3h7M5 6.3h8M4 9.6h4.5M7 13h7",
  events: "M9.2 1.5 3 9h4.3l-.6 5.5L13 7H8.6z",
  logs: "M3 3h10M3 6.3h7M3 9.6h10M3 13h5",
  manifests: "M4 1.5h5.5L12.5 4.5V14.5H4zM9 1.8V5h3.2M6.3 8h4M6.3 11h4",
  search: "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM10.7 10.7 14 14",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  check: "M3 8.5 6.5 12 13 4.5",
  play: "M5 3v10l8-5z",
  pause: "M5 3v10M11 3v10",
  refresh: "M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 2v3.5H10",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z",
  auto: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5h3.2M8 8h6M8 11h3.2",
  help: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM6.2 6.2A1.9 1.9 0 0 1 8 4.7c1 0 1.9.7 1.9 1.7 0 1.4-1.9 1.5-1.9 2.9M8 11.4h.01",
  external: "M9 2.5h4.5V7M13.2 2.8 7.5 8.5M6.5 3.5h-4v10h10v-4",
  down: "M3.5 6 8 10.5 12.5 6",
  right: "M6 3.5 10.5 8 6 12.5",
  left: "M10 3.5 5.5 8 10 12.5",
  plus: "M8 2.5v11M2.5 8h11",
  minus: "M2.5 8h11",
  trash: "M2.5 4h11M6 4V2.5h4V4M4 4l.6 9.5h6.8L12 4M6.7 6.8v4M9.3 6.8v4",
  edit: "M3 13l.6-2.9L10.8 3 13 5.2l-7.1 7.1zM9.3 4.5l2.2 2.2",
  send: "M2 8 14 2.5 10.5 13.5 7.5 9z",
  link: "M6.5 9.5a2.6 2.6 0 0 0 3.8.2l2.2-2.2a2.7 2.7 0 0 0-3.8-3.8l-.9.9M9.5 6.5a2.6 2.6 0 0 0-3.8-.2L3.5 8.5a2.7 2.7 0 0 0 3.8 3.8l.9-.9",
  warning: "M8 2 14.5 13.5H1.5zM8 6.5v3.2M8 11.6h.01",
  info: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM8 7.3v3.9M8 4.8h.01",
  bell: "M3.5 11.5h9L11.3 9.6V6.8a3.3 3.3 0 0 0-6.6 0v2.8zM6.8 13.5h2.4",
  filter: "M2 3h12L9.5 8.4V13L6.5 11.5V8.4z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  moveUp: "M8 13V3M4 7l4-4 4 4",
  download: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  upload: "M8 10.5v-8M4.5 5.5 8 2l3.5 3.5M2.5 13.5h11",
  clock: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM8 4.2V8l2.6 1.8",
  snow: "M8 1.5v13M2.4 4.8l11.2 6.4M13.6 4.8 2.4 11.2",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  language: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM1.5 8h13M8 1.5c2 2 2.8 4 2.8 6.5S10 12.5 8 14.5C6 12.5 5.2 10.5 5.2 8S6 3.5 8 1.5Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
