using System.Text.RegularExpressions;

namespace NanoAspire.Hosting.Tests.Publishing.Images;

/// <summary>A Dockerfile as instructions by stage. What comes before the first FROM is stage -1.</summary>
internal sealed partial class Dockerfile
{
    public Dockerfile(string text)
    {
        var stage = -1;
        var joined = Continuation().Replace(Comment().Replace(text, ""), " ");
        foreach (var line in joined.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var space = line.IndexOf(' ');
            var (name, rest) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..].Trim());
            if (name == "FROM") stage++;
            Instructions.Add((stage, name, rest));
        }
    }

    public List<(int Stage, string Name, string Text)> Instructions { get; } = [];
    public int Stages => Instructions.Max(i => i.Stage) + 1;
    public IEnumerable<string> Of(string name) => Instructions.Where(i => i.Name == name).Select(i => i.Text);

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continuation();

    [GeneratedRegex(@"(?m)^\s*#.*\n")]
    private static partial Regex Comment();
}
