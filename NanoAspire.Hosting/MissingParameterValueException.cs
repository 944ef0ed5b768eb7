namespace Aspire.Hosting;

/// <summary>A parameter without default was not given.</summary>
public class MissingParameterValueException : DistributedApplicationException
{
    public MissingParameterValueException()
    {
    }

    public MissingParameterValueException(string message) : base(message)
    {
    }

    public MissingParameterValueException(string message, Exception? innerException) : base(message, innerException!)
    {
    }
}
