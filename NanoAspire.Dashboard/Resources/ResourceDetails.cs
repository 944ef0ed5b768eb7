namespace NanoAspire.Dashboard.Resources;

/// <summary>One health check's last result. <paramref name="Healthy"/> is null before the first.</summary>
public sealed record HealthReport(string Name, bool? Healthy, string? Description);

/// <summary>An address of a resource. Linked only when it is http or https.</summary>
public sealed record ResourceUrl(string Name, string Url);

/// <summary>An environment variable. Secret ones, and those whose name says so, are shown only on demand.</summary>
public sealed record ResourceVariable(string Name, string? Value, bool IsSecret = false);

/// <summary>An edge of the graph. <paramref name="Type"/> as in the model: <c>Reference</c>, <c>WaitFor</c>, <c>Parent</c>.</summary>
public sealed record ResourceRelation(string Resource, string Type);

/// <summary>Something the user can do to a resource; asked for confirmation when <paramref name="Confirmation"/> is set.</summary>
public sealed record ResourceCommand(string Name, string DisplayName, bool Enabled = true, bool Highlighted = false, string? Confirmation = null);

/// <summary>What came of a command; shown to the user.</summary>
public sealed record CommandOutcome(bool Succeeded, string? Message = null);

/// <summary>One line that a resource wrote; <paramref name="Number"/> counts from 1 within the resource.</summary>
public sealed record ConsoleLine(int Number, string Text, bool IsError, DateTimeOffset? Timestamp = null);
