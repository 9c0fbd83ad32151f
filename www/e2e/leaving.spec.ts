import { expect, test } from "./lab";

test("the page asks before it is left during a run, and only then", async ({ lab, page }) => {
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await lab.open();
  await lab.trainFor(2);
  await page.reload();
  await expect(lab.experiment).toHaveValue("Example 1");
  expect(asked).toEqual([]);

  await lab.endlessly();
  await lab.button("Train").click();
  await lab.reaches(2);
  await page.reload();
  await expect(lab.experiment).toHaveValue("Example 1");
  expect(asked).toEqual(["beforeunload"]);
});
