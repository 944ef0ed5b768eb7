namespace NanoAspire.Engine.Loading;

/// <summary>How far the weights of a model are read.</summary>
/// <param name="BytesRead">Of the checkpoint's tensors.</param>
/// <param name="TotalBytes">Of all tensors that the model uses; reached once, by the last report.</param>
public readonly record struct LoadProgress(long BytesRead, long TotalBytes)
{
    /// <summary>0 to 1.</summary>
    public double Share => TotalBytes == 0 ? 1 : (double)BytesRead / TotalBytes;
}
