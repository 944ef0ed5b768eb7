namespace Aspire.Hosting.ApplicationModel;

/// <summary>One line of a resource's console; numbers run from 1 per resource.</summary>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);
