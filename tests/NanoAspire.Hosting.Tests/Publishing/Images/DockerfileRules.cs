using System.Text.RegularExpressions;

namespace NanoAspire.Hosting.Tests.Publishing.Images;

/// <summary>What must hold of a Dockerfile of this repository, without building it.</summary>
internal static partial class DockerfileRules
{
    private static readonly string[] Known = ["ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "RUN", "USER", "WORKDIR"];

    /// <param name="text">The file.</param>
    /// <param name="context">The folder that it is built from.</param>
    /// <param name="ignored">Top-level names that the context leaves out.</param>
    public static IReadOnlyList<string> Check(string text, string context, string[] ignored)
    {
        var problems = new List<string>();
        var file = new Dockerfile(text);
        foreach (var (_, name, _) in file.Instructions.Where(i => !Known.Contains(i.Name))) problems.Add($"unknown instruction {name}");
        var stages = new List<string>();
        var global = file.Instructions.Where(i => i.Stage < 0 && i.Name == "ARG").ToDictionary(i => i.Text.Split('=')[0], i => i.Text.Split('=').ElementAtOrDefault(1));
        for (var stage = 0; stage < file.Stages; stage++)
        {
            var instructions = file.Instructions.Where(i => i.Stage == stage).ToArray();
            CheckFrom(instructions[0].Text, global, stages, problems);
            CheckCopies(instructions, stages, context, ignored, problems);
            foreach (var run in instructions.Where(i => i.Name == "RUN" && i.Text.Contains("apt-get install", StringComparison.Ordinal)))
            {
                if (!run.Text.Contains("--no-install-recommends", StringComparison.Ordinal) || !run.Text.Contains("rm -rf /var/lib/apt/lists", StringComparison.Ordinal)) problems.Add("apt-get leaves something behind");
            }
            foreach (Match project in Project().Matches(string.Join('\n', instructions.Where(i => i.Name == "RUN").Select(i => i.Text))))
            {
                if (!File.Exists(Path.Combine(context, project.Value))) problems.Add($"no {project.Value}");
            }
        }
        var last = file.Instructions.Where(i => i.Stage == file.Stages - 1).ToArray();
        if (last.LastOrDefault(i => i.Name == "USER").Text is not { } user || !(user == "$APP_UID" || int.TryParse(user, out var id) && id > 0)) problems.Add("the last stage does not run as a numbered user other than root");
        if (last.Count(i => i.Name == "ENTRYPOINT" && i.Text.StartsWith('[')) != 1) problems.Add("one ENTRYPOINT in exec form");
        if (stages.Count < 2) problems.Add("one stage: the SDK would be shipped");
        return problems;
    }

    private static void CheckFrom(string from, Dictionary<string, string?> global, List<string> stages, List<string> problems)
    {
        if (FromPattern().Match(from) is not { Success: true } match)
        {
            problems.Add($"FROM {from}: no stage name");
            return;
        }
        var image = match.Groups["image"].Value;
        foreach (Match use in Use().Matches(from))
        {
            if (use.Value is "$BUILDPLATFORM" or "$TARGETPLATFORM") continue;
            var name = use.Value.Trim('$', '{', '}');
            if (!global.TryGetValue(name, out var value)) problems.Add($"FROM uses {use.Value}, which no ARG before the first FROM declares");
            else if (value is null) problems.Add($"ARG {name} has no default");
            else image = image.Replace(use.Value, value, StringComparison.Ordinal);
        }
        if (!image.Contains('/', StringComparison.Ordinal) && !stages.Contains(image)) problems.Add($"FROM {image}: neither a stage nor an image with a registry or owner");
        if (image.Contains('/', StringComparison.Ordinal) && (!image.Contains(':', StringComparison.Ordinal) || image.EndsWith(":latest", StringComparison.Ordinal))) problems.Add($"FROM {image}: no version");
        stages.Add(match.Groups["stage"].Value);
    }

    private static void CheckCopies((int Stage, string Name, string Text)[] instructions, List<string> stages, string context, string[] ignored, List<string> problems)
    {
        foreach (var (_, _, rest) in instructions.Where(i => i.Name == "COPY"))
        {
            var parts = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.FirstOrDefault(p => p.StartsWith("--from=", StringComparison.Ordinal)) is { } from)
            {
                if (!stages[..^1].Contains(from["--from=".Length..])) problems.Add($"COPY {from}: no earlier stage of that name");
                continue;
            }
            foreach (var source in parts.Where(p => !p.StartsWith("--", StringComparison.Ordinal)).SkipLast(1))
            {
                if (!Path.Exists(Path.Combine(context, source))) problems.Add($"COPY {source}: not in the repository");
                if (ignored.Contains(source.Split('/')[0])) problems.Add($"COPY {source}: left out by .dockerignore");
            }
        }
    }

    [GeneratedRegex(@"^(--platform=\S+ )?(?<image>\S+) AS (?<stage>[a-z][a-z0-9-]*)$")]
    private static partial Regex FromPattern();

    [GeneratedRegex(@"\$\{[A-Z_]+\}|\$[A-Z_]+")]
    private static partial Regex Use();

    [GeneratedRegex(@"[A-Za-z.]+/[A-Za-z.]+\.csproj")]
    private static partial Regex Project();
}
