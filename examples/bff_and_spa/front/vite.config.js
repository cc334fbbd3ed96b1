// Files with names that do not change: the pages name them, and the browser asks whether they are new.
export default {
  publicDir: false,
  logLevel: "warn",
  build: {
    modulePreload: false,
    target: "es2022",
    rolldownOptions: {
      input: ["spa.js", "back.js"],
      external: ["/static/page.js"],
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" },
    },
  },
};
