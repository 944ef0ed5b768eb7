namespace NanoAspire.Dashboard.Live;

/// <summary>What a page may show and therefore wants to hear about.</summary>
[Flags]
internal enum LiveTopics
{
    None = 0,
    Resources = 1,
    Traces = 2,
    Logs = 4,
    Metrics = 8,
}
