namespace NanoAspire.Ctrl.Client;

/// <summary>A call to the control plane failed. Absence is never reported this way: calls that look something up return null or false.</summary>
public sealed class CtrlException : Exception
{
    internal CtrlException(string message, int? status, Exception? inner = null) : base(message, inner) => Status = status;

    /// <summary>HTTP status, or null when there was no answer.</summary>
    public int? Status { get; }

    /// <summary>True when trying again later may help: no answer, 5xx, 408 or 429.</summary>
    public bool IsTransient => Status is null or >= 500 or 408 or 429;
}
